#include <fmt/format.h>

#include <algorithm>

#include "imgtool/minimal.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

struct ReportedFile {
  std::string path, type, source, link, why;
  std::uint64_t size = 0;
};
struct Report {
  std::uint64_t size = 0;
  std::vector<ReportedFile> files;
  std::vector<std::string> warnings;
};

void fields(spec::Writer &v, const ReportedFile &file) {
  v.always("path", file.path);
  v.always("type", file.type);
  v.always("size", file.size);
  v.optional("source", file.source);
  v.optional("link", file.link);
  v.always("why", file.why);
}

void fields(spec::Writer &v, const Report &report) {
  v.always("size", report.size);
  v.always("files", report.files);
  v.always("warnings", report.warnings);
}

Report make_report(const MinimalTree &tree) {
  Report report;
  for (const auto &[path, file] : tree.files.files()) {
    const mode_t mode = file.status.st_mode;
    const std::uint64_t size = S_ISREG(mode) ? static_cast<std::uint64_t>(file.status.st_size) : 0;
    report.size += size;
    report.files.push_back({.path = path,
                            .type = S_ISDIR(mode)   ? "directory"
                                    : S_ISLNK(mode) ? "symlink"
                                                    : "file",
                            .source = file.source,
                            .link = file.link,
                            .why = file.why,
                            .size = size});
  }
  report.warnings = tree.warnings;
  return report;
}

}  // namespace

std::string report_table(const MinimalTree &tree) {
  const Report report = make_report(tree);
  std::size_t width = 4;
  std::vector<std::string> names;
  for (const ReportedFile &file : report.files) {
    std::string name = file.path;
    if (!file.link.empty()) name += " -> " + file.link;
    if (file.type == "directory") name += "/";
    width = std::max(width, std::min<std::size_t>(name.size(), 100));
    names.push_back(std::move(name));
  }
  std::string out = fmt::format("{:<{}} {:>11}  {}\n", "FILE", width, "SIZE", "WHY");
  for (std::size_t index = 0; index < names.size(); ++index) {
    const ReportedFile &file = report.files[index];
    // What leads to a file says nothing of its own.
    if (file.type == "directory" && file.why != "home of root" && file.path != "/tmp") continue;
    const std::string size = file.type == "file" ? std::to_string(file.size) : "";
    std::string why = file.why;
    if (file.source.empty() && file.type == "file") why += " (made)";
    if (!file.source.empty() && file.source != file.path) why += " (from " + file.source + ")";
    out += fmt::format("{:<{}} {:>11}  {}\n", names[index], width, size, why);
  }
  return out + fmt::format("{:<{}} {:>11}\n", "total", width, report.size);
}

std::string report_json(const MinimalTree &tree) { return spec::Writer("  ").document(make_report(tree)) + "\n"; }

}  // namespace skiff::image
