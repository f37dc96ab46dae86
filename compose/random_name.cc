#include "compose/random_name.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>

namespace skiff::compose {
namespace {

constexpr std::array<std::string_view, 64> first = {
    "amber",  "bold",    "brave",  "brief",  "bright", "brisk",  "calm",   "clear",  "clever", "cool",  "crisp",
    "curly",  "dapper",  "deep",   "eager",  "early",  "easy",   "fair",   "fast",   "fine",   "firm",  "fresh",
    "gentle", "glad",    "golden", "grand",  "happy",  "hardy",  "honest", "humble", "jolly",  "keen",  "kind",
    "late",   "light",   "lively", "loyal",  "lucky",  "mellow", "merry",  "mild",   "modest", "neat",  "nimble",
    "noble",  "patient", "plain",  "proud",  "quick",  "quiet",  "ready",  "rosy",   "round",  "sharp", "shy",
    "silent", "sleek",   "smooth", "steady", "sunny",  "swift",  "tidy",   "warm",   "wise"};
constexpr std::array<std::string_view, 64> second = {
    "anchor",  "badger", "beacon", "beaver", "birch",  "bison",  "breeze", "brook",  "canoe",  "cedar",  "clam",
    "cliff",   "cloud",  "coral",  "crab",   "crane",  "creek",  "delta",  "dune",   "eagle",  "falcon", "ferry",
    "finch",   "fjord",  "gull",   "harbor", "heron",  "island", "kayak",  "lagoon", "lake",   "lark",   "loon",
    "maple",   "marsh",  "meadow", "moose",  "oar",    "ocean",  "osprey", "otter",  "paddle", "pearl",  "pebble",
    "pelican", "pier",   "pike",   "pine",   "puffin", "raft",   "reed",   "river",  "robin",  "rudder", "sail",
    "salmon",  "seal",   "shore",  "spruce", "stork",  "swan",   "tern",   "tide",   "trout"};

}  // namespace

Result<std::string> make_name() {
  std::array<std::uint8_t, 2> dice{};
  if (::getrandom(dice.data(), dice.size(), 0) != static_cast<ssize_t>(dice.size())) return fail(errno, "getrandom");
  return fmt::format("{}_{}", first[dice[0] % first.size()], second[dice[1] % second.size()]);
}

}  // namespace skiff::compose
