// A .ctst file in a folder of its own, loaded as skiff-compose loads it.
#pragma once

#include <map>
#include <string>

#include "compose/ctst.h"
#include "tests/runtime/temporary_directory.h"

namespace skiff::compose {

class CtstRig {
 public:
  // Below the folder; its directories are made.
  void write(const std::string &name, const std::string &text, mode_t mode = 0644);
  // Loads `text` as main.ctst in the folder.
  void load(const std::string &text);

  CtstRequest request;
  Findings findings;
  CtstModel loaded;

  [[nodiscard]] const std::string &folder() const { return directory_.path(); }
  // Every finding's whole text, the folder's path as DIR.
  [[nodiscard]] std::string told() const;
  [[nodiscard]] std::string codes() const;
  // "services.web.ports": scalars as they are, lists as [a, b], maps as {k: v}; "-" where there is none.
  [[nodiscard]] std::string at(const std::string &path) const;
  [[nodiscard]] std::string without_folder(std::string text) const;

 private:
  TemporaryDirectory directory_;
};

[[nodiscard]] std::string shown(const Value &value);

}  // namespace skiff::compose
