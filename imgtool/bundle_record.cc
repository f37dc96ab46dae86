#include "imgtool/bundle_record.h"

#include "imgtool/digest.h"
#include "spec/fields_config.h"
#include "spec/fields_image.h"
#include "spec/writer.h"

namespace skiff::image {
namespace {

constexpr std::size_t largest = std::size_t{1} << 20U;
constexpr const char *tree_record_name = "rootfs.record";
constexpr std::size_t largest_tree_record = std::size_t{2} << 30U;

Status write_file(kernel::FdView bundle, const char *name, std::string_view text) {
  const kernel::Fd file = TRY(kernel::openat(bundle, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644));
  return kernel::write_all(file, text);
}

}  // namespace

void fields(auto &v, spec::Like<BundleRecord> auto &record) {
  v.optional("name", record.name);
  v.required("store", record.store);
  v.required("manifest", record.manifest);
  v.optional("overlay", record.overlay);
  v.optional("rootless", record.rootless);
  v.optional("uidMappings", record.uid_mappings);
  v.optional("gidMappings", record.gid_mappings);
}

ApplyOptions BundleRecord::options() const {
  ApplyOptions options;
  options.uid_mappings = uid_mappings;
  options.gid_mappings = gid_mappings;
  options.rootless = rootless;
  return options;
}

Status save_record(kernel::FdView bundle, const BundleRecord &record) {
  return write_file(bundle, bundle_record_name, spec::Writer("\t").document(record) + "\n");
}

Result<BundleRecord> load_record(kernel::FdView bundle) {
  const kernel::Fd file = TRY(remedy("skiff-image unpack makes bundles that can be packed again",
                                     kernel::openat(bundle, bundle_record_name, O_RDONLY | O_NOFOLLOW)));
  const std::string text = TRY(kernel::read_all(file, largest));
  const auto document = spec::json::Document::parse(text);
  if (!document) return std::unexpected(spec::findings_error(bundle_record_name, {document.error()}));
  std::vector<spec::Finding> findings;
  BundleRecord record;
  spec::Reader(findings).document(document->root(), record);
  if (!findings.empty()) return std::unexpected(spec::findings_error(bundle_record_name, findings));
  TRY(in(bundle_record_name, Digest::parse(record.manifest.digest)));
  return record;
}

Status save_tree_record(kernel::FdView bundle, kernel::FdView rootfs) {
  return write_file(bundle, tree_record_name, print_record(TRY(record_tree(rootfs))));
}

Result<TreeRecord> load_tree_record(kernel::FdView bundle) {
  const kernel::Fd file = TRY(kernel::openat(bundle, tree_record_name, O_RDONLY | O_NOFOLLOW));
  return in(tree_record_name, parse_record(TRY(kernel::read_all(file, largest_tree_record))));
}

}  // namespace skiff::image
