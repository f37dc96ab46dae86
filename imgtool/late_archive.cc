// The functions of libarchive that are called here, forwarded to the library that load_archive has loaded.
#include <archive.h>
#include <archive_entry.h>

#include <cstdarg>

#include "imgtool/late_library.h"

namespace skiff::image {
namespace {

LateLibrary library("libarchive.so.13", "libarchive13 (libarchive13t64 since Debian 13)",
                    "archive_read_support_filter_zstd");

template <auto Function, class... Arguments>
auto call(const char *name, Arguments... arguments) {
  return library.call<Function>(name, arguments...);
}

}  // namespace

Status load_archive() {
  static const Status loaded = library.load();
  return loaded;
}

}  // namespace skiff::image

using skiff::image::call;

extern "C" {
archive *archive_read_new() { return call<&archive_read_new>("archive_read_new"); }
int archive_read_free(archive *reader) { return call<&archive_read_free>("archive_read_free", reader); }
int archive_read_support_filter_bzip2(archive *reader) {
  return call<&archive_read_support_filter_bzip2>("archive_read_support_filter_bzip2", reader);
}
int archive_read_support_filter_gzip(archive *reader) {
  return call<&archive_read_support_filter_gzip>("archive_read_support_filter_gzip", reader);
}
int archive_read_support_filter_xz(archive *reader) {
  return call<&archive_read_support_filter_xz>("archive_read_support_filter_xz", reader);
}
int archive_read_support_filter_zstd(archive *reader) {
  return call<&archive_read_support_filter_zstd>("archive_read_support_filter_zstd", reader);
}
int archive_read_support_format_raw(archive *reader) {
  return call<&archive_read_support_format_raw>("archive_read_support_format_raw", reader);
}
int archive_read_support_format_tar(archive *reader) {
  return call<&archive_read_support_format_tar>("archive_read_support_format_tar", reader);
}
int archive_read_open(archive *reader, void *user, archive_open_callback *open, archive_read_callback *read,
                      archive_close_callback *close) {
  return call<&archive_read_open>("archive_read_open", reader, user, open, read, close);
}
int archive_read_next_header(archive *reader, archive_entry **entry) {
  return call<&archive_read_next_header>("archive_read_next_header", reader, entry);
}
la_ssize_t archive_read_data(archive *reader, void *bytes, size_t size) {
  return call<&archive_read_data>("archive_read_data", reader, bytes, size);
}
const char *archive_error_string(archive *reader) {
  return call<&archive_error_string>("archive_error_string", reader);
}
// One text follows.
void archive_set_error(archive *reader, int number, const char *format, ...) {
  va_list list;
  va_start(list, format);
  const char *text = va_arg(list, const char *);
  va_end(list);
  call<&archive_set_error>("archive_set_error", reader, number, format, text);
}
const char *archive_entry_pathname(archive_entry *entry) {
  return call<&archive_entry_pathname>("archive_entry_pathname", entry);
}
const char *archive_entry_hardlink(archive_entry *entry) {
  return call<&archive_entry_hardlink>("archive_entry_hardlink", entry);
}
const char *archive_entry_symlink(archive_entry *entry) {
  return call<&archive_entry_symlink>("archive_entry_symlink", entry);
}
__LA_MODE_T archive_entry_perm(archive_entry *entry) { return call<&archive_entry_perm>("archive_entry_perm", entry); }
__LA_MODE_T archive_entry_filetype(archive_entry *entry) {
  return call<&archive_entry_filetype>("archive_entry_filetype", entry);
}
la_int64_t archive_entry_uid(archive_entry *entry) { return call<&archive_entry_uid>("archive_entry_uid", entry); }
la_int64_t archive_entry_gid(archive_entry *entry) { return call<&archive_entry_gid>("archive_entry_gid", entry); }
la_int64_t archive_entry_size(archive_entry *entry) { return call<&archive_entry_size>("archive_entry_size", entry); }
time_t archive_entry_mtime(archive_entry *entry) { return call<&archive_entry_mtime>("archive_entry_mtime", entry); }
long archive_entry_mtime_nsec(archive_entry *entry) {
  return call<&archive_entry_mtime_nsec>("archive_entry_mtime_nsec", entry);
}
dev_t archive_entry_rdevmajor(archive_entry *entry) {
  return call<&archive_entry_rdevmajor>("archive_entry_rdevmajor", entry);
}
dev_t archive_entry_rdevminor(archive_entry *entry) {
  return call<&archive_entry_rdevminor>("archive_entry_rdevminor", entry);
}
int archive_entry_xattr_reset(archive_entry *entry) {
  return call<&archive_entry_xattr_reset>("archive_entry_xattr_reset", entry);
}
int archive_entry_xattr_next(archive_entry *entry, const char **name, const void **value, size_t *size) {
  return call<&archive_entry_xattr_next>("archive_entry_xattr_next", entry, name, value, size);
}
}
