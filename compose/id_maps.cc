#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compose/lower.h"
#include "compose/split.h"
#include "compose/user_network.h"
#include "runtime/cli/value.h"
#include "spec/names.h"

namespace skiff::compose {
namespace {

using spec::IdMapping;
using spec::quote;
using Mappings = std::vector<IdMapping>;

// So many ids an image's files and users need: nobody is 65534.
constexpr std::uint32_t container_ids = 65536;
// systemd, "Users, Groups, UIDs and GIDs": what is for containers where subuid(5) says nothing.
constexpr IdRange unclaimed{.first = 524288, .size = 1879048192 - 524288};

Result<IdMapping> parse_mapping(std::string_view text) {
  const std::vector<std::string_view> parts = split_at(text, ':');
  std::array<std::optional<std::uint32_t>, 3> numbers = {{{}, {}, 1}};
  for (std::size_t i = 0; i < std::min(parts.size(), numbers.size()); ++i) {
    numbers[i] = cli::parse_number<std::uint32_t>(parts[i]);
  }
  const bool whole = std::ranges::all_of(numbers, [](const auto &number) { return number.has_value(); });
  if (parts.size() < 2 || parts.size() > 3 || !whole || *numbers[2] == 0) {
    return fail(fmt::format("{} is no mapping", quote(text)), "write CONTAINER:HOST:SIZE, as 0:100000:65536");
  }
  return IdMapping{.container_id = *numbers[0], .host_id = *numbers[1], .size = *numbers[2]};
}

Result<Mappings> parse_mappings(std::string_view field, const std::vector<std::string> &texts) {
  Mappings mappings;
  for (const std::string &text : texts) mappings.push_back(TRY(in(field, parse_mapping(text))));
  return mappings;
}

// The container's ids from `first` on come from the ranges, at most `count` of them.
void append_ranges(Mappings &mappings, std::uint32_t first, std::uint32_t count, std::vector<IdRange> &ranges) {
  while (count > 0 && !ranges.empty()) {
    IdRange &range = ranges.front();
    const std::uint32_t size = std::min(count, range.size);
    mappings.push_back({.container_id = first, .host_id = range.first, .size = size});
    first += size;
    count -= size;
    range.first += size;
    range.size -= size;
    if (range.size == 0) ranges.erase(ranges.begin());
  }
}

// An ordinary user: himself as `own`, and what he is granted around it.
Mappings make_own(std::uint32_t own, std::uint32_t host_id, std::vector<IdRange> ranges) {
  constexpr std::uint32_t all = ~std::uint32_t{0};
  Mappings mappings;
  append_ranges(mappings, 0, own, ranges);
  // What is below stays without ids where the ranges end there.
  mappings.push_back({.container_id = own, .host_id = host_id, .size = 1});
  append_ranges(mappings, own + 1, all - own - 1, ranges);
  return mappings;
}

bool overlap(const IdRange &a, const IdRange &b) {
  return std::uint64_t{a.first} < std::uint64_t{b.first} + b.size &&
         std::uint64_t{b.first} < std::uint64_t{a.first} + a.size;
}

// The first free ids of the ranges, all in one of them.
std::optional<IdRange> find_free(const std::vector<IdRange> &ranges, const std::vector<IdRange> &taken) {
  for (const IdRange &range : ranges) {
    const std::uint64_t end = std::uint64_t{range.first} + range.size;
    for (std::uint64_t at = range.first; at + container_ids <= end;) {
      const IdRange wanted{.first = static_cast<std::uint32_t>(at), .size = container_ids};
      const auto other = std::ranges::find_if(taken, [&](const IdRange &one) { return overlap(one, wanted); });
      if (other == taken.end()) return wanted;
      at = std::uint64_t{other->first} + other->size;
    }
  }
  return std::nullopt;
}

Result<Mappings> make_auto(const char *file, const HostFacts &host, std::vector<IdRange> ranges,
                           const std::vector<IdRange> &taken) {
  if (ranges.empty() && !host.rootless()) ranges = {unclaimed};
  const std::optional<IdRange> found = find_free(ranges, taken);
  if (!found) {
    return fail(fmt::format("userns_mode: auto: no {} ids in a row are free", container_ids),
                fmt::format("grant {} more in {}", host.rootless() ? "yourself" : "the user containers", file));
  }
  return Mappings{{.container_id = 0, .host_id = found->first, .size = found->size}};
}

Result<IdMaps> make_by_mode(const std::string &mode, const HostFacts &host, const std::vector<IdRange> &taken) {
  if (mode == "auto") {
    return IdMaps{.uids = TRY(make_auto("/etc/subuid", host, host.uid_ranges, taken)),
                  .gids = TRY(make_auto("/etc/subgid", host, host.gid_ranges, taken))};
  }
  if (mode == "keep-id") {
    if (!host.rootless()) return fail("userns_mode: keep-id: root keeps its id without", "leave it out, or use auto");
    return IdMaps{.uids = make_own(host.uid, host.uid, host.uid_ranges),
                  .gids = make_own(host.gid, host.gid, host.gid_ranges)};
  }
  if (mode.empty() || mode == "host") {
    if (!host.rootless()) return IdMaps();
    return IdMaps{.uids = make_own(0, host.uid, host.uid_ranges), .gids = make_own(0, host.gid, host.gid_ranges)};
  }
  if (mode.starts_with("container:") || mode.starts_with("service:")) return IdMaps();
  return fail(fmt::format("userns_mode: {} is unknown", quote(mode)), "use host, auto, keep-id or container:NAME");
}

}  // namespace

Result<IdMaps> make_id_maps(const Service &service, const HostFacts &host, const std::vector<IdRange> &taken) {
  if (service.uid_maps.empty() && service.gid_maps.empty()) return make_by_mode(service.userns_mode, host, taken);
  if (!service.userns_mode.empty()) {
    return fail(fmt::format("userns_mode: {} and id mappings contradict each other", quote(service.userns_mode)),
                "leave one of them out");
  }
  IdMaps maps{.uids = TRY(parse_mappings("uid_maps", service.uid_maps)),
              .gids = TRY(parse_mappings("gid_maps", service.gid_maps))};
  if (maps.uids.empty()) maps.uids = maps.gids;
  if (maps.gids.empty()) maps.gids = maps.uids;
  return maps;
}

Result<IdMaps> make_user_network_maps(const HostFacts &host) { return make_by_mode("host", host, {}); }

Result<Mappings> map_inside(const Mappings &mappings, const Mappings &outer) {
  Mappings inside;
  for (IdMapping rest : mappings) {
    while (rest.size > 0) {
      const auto one = std::ranges::find_if(outer, [&](const IdMapping &range) {
        return rest.host_id >= range.host_id && rest.host_id - range.host_id < range.size;
      });
      if (one == outer.end()) {
        return fail(fmt::format("the host's id {} is not granted", rest.host_id),
                    "take ids of /etc/subuid and /etc/subgid");
      }
      const std::uint32_t offset = rest.host_id - one->host_id;
      const std::uint32_t size = std::min(rest.size, one->size - offset);
      inside.push_back({.container_id = rest.container_id, .host_id = one->container_id + offset, .size = size});
      rest = {.container_id = rest.container_id + size, .host_id = rest.host_id + size, .size = rest.size - size};
    }
  }
  return inside;
}

}  // namespace skiff::compose
