// The files that one .ctst file is made of: itself and what it imports, by CTST.md's "IMPORT and FROM".
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "compose/ctst.h"
#include "compose/ctst_syntax.h"

namespace skiff::compose::ctst {

struct Document;

struct Imported {
  Name alias;                    // AS, else the file's name without .ctst
  Position at;                   // of the path
  Document *document = nullptr;  // null where it could not be read; that is told
  bool used = false;             // by a FROM
};

struct Document {
  std::shared_ptr<const Source> source;
  std::string folder;  // absolute; empty for one that came by https
  Tree tree;
  std::vector<Imported> imports;
};

struct Library {
  std::deque<Document> documents;  // the entry is the first; each file once, however often it is imported

  [[nodiscard]] Document &entry() { return documents.front(); }
  // What relative paths are relative to that stand there; empty for a file that came by https.
  [[nodiscard]] std::string folder_of(const Position &at) const;
};

[[nodiscard]] Library load_library(const CtstRequest &request, Findings &findings);

// What lies at the URL, by curl(1): over https alone, redirections too. At most 1 MiB.
[[nodiscard]] Result<std::string> fetch_import(const std::string &url);

}  // namespace skiff::compose::ctst
