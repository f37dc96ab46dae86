// config-linux.md, Network Devices.
#include <fmt/format.h>

#include "conformance/cases/tables.h"
#include "conformance/link.h"
#include "conformance/stage.h"
#include "runtime/kernel/namespace.h"

namespace skiff::conformance {
namespace {

// The network namespace of the case stands for the host's: whatever happens to the links, they go with it.
Verdict prepare(Stage &stage, std::string_view devices) {
  TRY(kernel::unshare(CLONE_NEWNET));
  const Status made = make_link("skiff0");
  if (!made) return skip("veth: " + made.error().message());
  stage.config.set("/ociVersion", "1.3.0");
  stage.config.set("/linux/netDevices", TRY(Tree::parse(devices)));
  return {};
}

const Tree *find_interface(const Tree &seen, std::string_view name, bool with_address = false) {
  for (const Tree::Member &one : seen.find("/interfaces")->members()) {
    if (one.value.text("/name") == name && (!with_address || one.value.find("/address") != nullptr)) return &one.value;
  }
  return nullptr;
}

Verdict moved(Stage &stage) {
  TRY(prepare(stage, R"({"skiff0": {}})"));
  const Tree seen = TRY(stage.observed());
  const Tree *found = find_interface(seen, "skiff0");
  TRY(expect(found != nullptr, "skiff0 in the container", "there", "missing"));
  TRY(expect_same("skiff0 is up", found->text("/up"), "true"));
  return expect(!has_link("skiff0"), "skiff0 on the host", "gone", "still there");
}

Verdict renamed(Stage &stage) {
  TRY(prepare(stage, R"({"skiff0": {"name": "inner"}})"));
  const Tree seen = TRY(stage.observed());
  return expect(find_interface(seen, "inner") != nullptr, "skiff0 as inner in the container", "there", "missing");
}

Verdict template_name(Stage &stage) {
  TRY(prepare(stage, R"({"skiff0": {"name": "eth%d"}})"));
  const Tree seen = TRY(stage.observed());
  return expect(find_interface(seen, "eth0") != nullptr, "skiff0 as eth%d in the container", "eth0", "missing");
}

Verdict addresses(Stage &stage) {
  TRY(prepare(stage, R"({"skiff0": {"name": "inner"}})"));
  TRY(add_address("skiff0", "10.123.45.67"));
  const Tree seen = TRY(stage.observed());
  const Tree *found = find_interface(seen, "inner", true);
  return expect_same("the address of inner", found == nullptr ? "none" : found->text("/address"), "10.123.45.67");
}

Verdict taken_name(Stage &stage) {
  TRY(prepare(stage, R"({"skiff0": {"name": "lo"}})"));
  return expect_refused(stage, "a network device by the name of one that is there");
}

Verdict missing_device(Stage &stage) {
  TRY(prepare(stage, R"({"nowhere0": {}})"));
  return expect_refused(stage, "a network device that does not exist");
}

Verdict not_returned(Stage &stage) {
  TRY(prepare(stage, R"({"skiff0": {}})"));
  TRY(stage.started());
  (void)TRY(stage.ended());
  TRY(stage.succeed({"delete", stage.id()}));
  return expect(!has_link("skiff0"), "skiff0 after delete", "gone with its namespace", "moved back");
}

constexpr Case table[] = {
    {"net-devices/are-moved-and-up", "linux.netDevices.available linux.netDevices.up", moved},
    {"net-devices/are-renamed", "linux.netDevices.available", renamed},
    {"net-devices/a-template-names-them", "linux.netDevices.template", template_name, "",
     "runc 1.3 has no netDevices and crun 1.28 no template; the clause is explicit"},
    {"net-devices/keep-their-addresses", "linux.netDevices.addresses", addresses, "",
     "runc 1.3 has no netDevices, and crun 1.28 keeps no addresses; the clause is explicit"},
    {"net-devices/a-name-that-is-taken-fails", "linux.netDevices.taken", taken_name},
    {"net-devices/a-missing-device-fails", "linux.netDevices.available config.values", missing_device},
    {"net-devices/are-not-moved-back", "linux.netDevices.not-returned", not_returned},
};

}  // namespace

std::span<const Case> net_device_cases() { return table; }

}  // namespace skiff::conformance
