// state.json, which is read back after a crash or an update.
#include "spec/state.h"
#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using skiff::fuzz::require;
  const auto record = skiff::spec::parse_record(skiff::fuzz::text_of(data, size));
  if (!record) return 0;
  const std::string printed = skiff::spec::print_record(*record);
  const auto again = skiff::spec::parse_record(printed);
  require(again.has_value(), "what is printed can be read");
  require(skiff::spec::print_record(*again) == printed, "what is read is what was printed");
  return 0;
}
