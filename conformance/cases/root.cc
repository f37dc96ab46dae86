// config.md, Specification version and Root.
#include <errno.h>

#include "conformance/cases/tables.h"
#include "conformance/stage.h"

namespace skiff::conformance {
namespace {

Verdict without(Stage &stage) {
  stage.config.remove(stage.variant());
  return expect_refused(stage, std::string("a config without ") + std::string(stage.variant()));
}

Verdict bad_version(Stage &stage) {
  stage.config.set("/ociVersion", std::string(stage.variant()));
  return expect_refused(stage, "ociVersion \"" + std::string(stage.variant()) + "\"");
}

Verdict older_version(Stage &stage) {
  stage.config.set("/ociVersion", std::string(stage.variant()));
  (void)TRY(stage.observed());
  return {};
}

Verdict missing_directory(Stage &stage) {
  stage.config.set("/root/path", "no-such-directory");
  return expect_refused(stage, "a root.path that does not exist");
}

Verdict file_as_root(Stage &stage) {
  TRY(write_file(stage.bundle() + "/file", ""));
  stage.config.set("/root/path", "file");
  return expect_refused(stage, "a root.path that is a file");
}

Verdict absolute_path(Stage &stage) {
  stage.config.set("/root/path", stage.rootfs());
  (void)TRY(stage.observed());
  return {};
}

Verdict the_root(Stage &stage) {
  TRY(write_file(stage.rootfs() + "/mark", "the rootfs"));
  stage.inside("observe", {"read:/mark", "list:/.."});
  const Tree seen = TRY(stage.observed());
  TRY(expect_same("a file of the rootfs", probe_value(seen, 0)->text(), "the rootfs"));
  return expect_same("what is above the root", seen.texts("/probes/1/value"),
                     {"dev", "inside", "mark", "proc", "sys", "tmp", "work"});
}

Verdict readonly_root(Stage &stage) {
  stage.config.set("/root/readonly", true);
  stage.inside("observe", {"create:/new", "mkdir:/tmp/new", "create:/dev/new"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("errno of a new file in a read-only root", probe_errno(seen, 0), EROFS));
  TRY(expect_number("errno of a new directory in a read-only root", probe_errno(seen, 1), EROFS));
  return expect_number("errno of a new file on a mount below it", probe_errno(seen, 2), 0);
}

Verdict writable_root(Stage &stage) {
  stage.inside("observe", {"create:/new"});
  const Tree seen = TRY(stage.observed());
  TRY(expect_number("errno of a new file in the root", probe_errno(seen, 0), 0));
  return expect(exists(stage.rootfs() + "/new"), "the new file on the host", "there", "missing");
}

constexpr auto not_read =
    "neither runc nor crun looks at it; a version that is none is an invalid value, and another major one is by the "
    "section's own words not compatible";

constexpr Case table[] = {
    {"root/version-is-required", "config.ociVersion.required", without, "/ociVersion"},
    {"root/version-must-be-semver", "config.ociVersion.semver config.values", bad_version, "one", not_read},
    {"root/version-of-another-major-fails", "config.ociVersion.semver config.values", bad_version, "2.0.0", not_read},
    {"root/version-1.0.0-is-taken", "config.ociVersion.semver", older_version, "1.0.0"},
    {"root/is-required", "config.root.required", without, "/root"},
    {"root/path-is-required", "config.root.path.required", without, "/root/path"},
    {"root/path-must-exist", "config.root.path.exists", missing_directory},
    {"root/path-must-be-a-directory", "config.root.path.exists", file_as_root},
    {"root/path-may-be-absolute", "config.root.path.exists", absolute_path},
    {"root/is-the-rootfs", "runtime.lifecycle.environment", the_root},
    {"root/readonly-cannot-be-written", "config.root.readonly", readonly_root},
    {"root/is-writable-by-default", "config.root.readonly", writable_root},
};

}  // namespace

std::span<const Case> root_cases() { return table; }

}  // namespace skiff::conformance
