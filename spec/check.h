// How the rules between fields are written: a place in the document, a checker that collects findings, and one function
// for each part of config.json. Inside spec/ only; others call check() of config.h.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "spec/config.h"
#include "spec/names.h"

namespace skiff::spec {

// A place in the document, kept on the stack and written out only when something is wrong there. It refers to the place
// it was made from: pass `at / "mounts" / i` on, or name one step at a time.
class Place {
 public:
  explicit Place(std::string_view prefix) : name_(prefix) {}

  Place operator/(std::string_view name) const { return {this, name}; }
  Place operator/(const char *name) const { return {this, name}; }
  Place operator/(const std::string &name) const { return {this, name}; }
  Place operator/(std::size_t index) const { return {this, index}; }

  [[nodiscard]] std::string pointer() const;

 private:
  Place(const Place *outer, std::string_view name) : outer_(outer), name_(name) {}
  Place(const Place *outer, std::size_t index) : outer_(outer), index_(index), is_index_(true) {}

  const Place *outer_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
  bool is_index_ = false;
};

class Checker {
 public:
  // `parsed`, where there was a document, is what could not be read of it; it must outlive the checker.
  explicit Checker(const std::vector<Finding> *parsed = nullptr) : parsed_(parsed) {}

  // Where the spec states the rules that follow.
  void clause(std::string_view where) { clause_ = where; }

  // Nothing is added where the document could not be read: that has its finding already.
  void add(const Place &place, std::string text, std::string remedy = {});

  // Whether something at this place, above or below it could not be read, so that its value means nothing.
  [[nodiscard]] bool doubtful(const Place &place) const;

  // Each returns whether the rule holds.
  bool present(const Place &place, std::string_view value);
  bool absolute(const Place &place, std::string_view path);
  bool known(const Place &place, std::string_view name, Names names);
  void all_known(const Place &place, const std::vector<std::string> &values, Names names);
  void all_absolute(const Place &place, const std::vector<std::string> &paths);
  bool in_range(const Place &place, std::int64_t value, std::int64_t min, std::int64_t max, std::string remedy = {});
  bool cpu_list(const Place &place, std::string_view list);

  std::vector<Finding> take() { return std::move(found_); }

 private:
  const std::vector<Finding> *parsed_;
  std::vector<Finding> found_;
  std::string_view clause_;
};

// "0-3,7"; also with the kernel's groups, "0-31:2/4" (cpuset(7), "List format"). Empty is fine.
[[nodiscard]] bool is_cpu_list(std::string_view list);

void check_process(Checker &c, const Place &at, const Process &process);
void check_environment(Checker &c, const Place &at, const std::vector<std::string> &env);
void check_mounts(Checker &c, const Place &at, const Config &config);
void check_hooks(Checker &c, const Place &at, const Hooks &hooks);
void check_id_mappings(Checker &c, const Place &at, const std::vector<IdMapping> &mappings);
void check_namespaces(Checker &c, const Place &at, const Config &config);
void check_sysctl(Checker &c, const Place &at, const Linux &linux_);
void check_linux(Checker &c, const Place &at, const Linux &linux_);
void check_devices(Checker &c, const Place &at, const std::vector<Device> &devices);
void check_resources(Checker &c, const Place &at, const Resources &resources);
void check_seccomp(Checker &c, const Place &at, const Seccomp &seccomp);

}  // namespace skiff::spec
