#include "runtime/unit_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "runtime/plan_annotations.h"

namespace skiff {
namespace {

constexpr std::string_view slice_suffix = ".slice";
constexpr std::size_t longest_name = 255;  // systemd's UNIT_NAME_MAX

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// systemd.unit(5): what a unit's name is made of.
bool is_name_character(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || std::string_view(":-_.\\@").find(c) != std::string_view::npos;
}

// A container's id may have "+", which a unit's name may not: written as systemd-escape(1) does.
std::string escape(std::string_view id) {
  std::string out;
  for (const char c : id) {
    if (is_name_character(c)) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Status check_name(const std::string &cgroups_path, std::string_view name) {
  if (name.size() > longest_name) {
    return fail(fmt::format("linux.cgroupsPath: the unit \"{}\" has {} characters, the most is {}", name, name.size(),
                            longest_name),
                "give a shorter name");
  }
  if (std::ranges::all_of(name, is_name_character)) return {};
  return fail(fmt::format("linux.cgroupsPath: \"{}\" in \"{}\" is no name of a systemd unit", name, cgroups_path),
              "use letters, digits and : - _ . \\ @ only");
}

UnitProperty own(const char *name, BusValue value) {
  return {.field = "systemd", .name = name, .value = std::move(value), .since = 0};
}

std::vector<UnitProperty> own_properties(const UnitPlace &place, const std::string &id, bool slice, bool unified) {
  std::vector<UnitProperty> out;
  out.push_back(own("Description", bus_string("skiff container " + id)));
  if (slice) {
    // A slice's place follows from its name; it wants its parent to be there.
    out.push_back(own("Wants", bus_array("s", {bus_string(place.slice)})));
  } else {
    out.push_back(own("Slice", bus_string(place.slice)));
    out.push_back(own("Delegate", bus_bool(true)));
  }
  // Without DefaultDependencies=no, a shutdown would stop the container before the engine that looks after it.
  out.push_back(own("DefaultDependencies", bus_bool(false)));
  // Statistics and a later `update` need the controllers whether there are limits now or not.
  for (const char *name :
       {"CPUAccounting", "MemoryAccounting", "TasksAccounting", unified ? "IOAccounting" : "BlockIOAccounting"}) {
    out.push_back(own(name, bus_bool(true)));
  }
  return out;
}

// A time in seconds as systemd takes it on the bus, in microseconds.
std::optional<std::uint64_t> microseconds(const BusValue &seconds) {
  constexpr std::uint64_t million = 1000000;
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  if (const auto *number = std::get_if<std::uint64_t>(&seconds.basic)) {
    // The largest number is "infinity" in both units.
    if (*number == most) return most;
    return *number > most / million ? std::nullopt : std::optional(*number * million);
  }
  if (const auto *number = std::get_if<std::int64_t>(&seconds.basic)) {
    if (*number < 0 || static_cast<std::uint64_t>(*number) > most / million) return std::nullopt;
    return static_cast<std::uint64_t>(*number) * million;
  }
  if (const auto *number = std::get_if<double>(&seconds.basic)) {
    if (!(*number >= 0 && *number < 1e13)) return std::nullopt;
    return static_cast<std::uint64_t>(*number * 1e6);
  }
  return std::nullopt;
}

// TimeoutStopSec of a unit file is TimeoutStopUSec on the bus.
bool is_in_seconds(std::string_view name) {
  return name.size() > 3 && name.ends_with("Sec") && name[name.size() - 4] >= 'a' && name[name.size() - 4] <= 'z';
}

Result<UnitProperty> parse_annotation(const std::string &key, const std::string &text) {
  const std::string field = fmt::format("annotations[\"{}\"]", key);
  std::string name = key.substr(annotation::systemd_property.size());
  if (name.size() < 3 || !std::ranges::all_of(name, is_letter)) {
    return fail(fmt::format("{}: \"{}\" is no name of a systemd property", field, name),
                "use a property of org.freedesktop.systemd1(5), such as TimeoutStopUSec");
  }
  BusValue value = TRY(in(field, parse_gvariant(text)));
  if (is_in_seconds(name)) {
    const std::optional<std::uint64_t> converted = microseconds(value);
    if (!converted) {
      return fail(fmt::format("{}: {} is no time in seconds", field, print_gvariant(value)),
                  "give a number that is not below 0");
    }
    name.replace(name.size() - 3, 3, "USec");
    value = bus_uint64(*converted);
  }
  return UnitProperty{.field = field, .name = std::move(name), .value = std::move(value), .since = 0};
}

}  // namespace

Result<std::string> expand_slice(std::string_view slice) {
  const std::string text(slice);
  const auto wrong = [&] {
    return fail(fmt::format("linux.cgroupsPath: \"{}\" is no systemd slice", text),
                "name one like machine.slice, or a-b.slice for one inside a.slice");
  };
  if (slice == "-" || slice == "-.slice") return std::string();
  if (!slice.ends_with(slice_suffix) || slice.size() == slice_suffix.size()) return wrong();
  slice.remove_suffix(slice_suffix.size());
  if (!std::ranges::all_of(slice, is_name_character)) return wrong();
  std::string path;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    const std::size_t start = end == 0 ? 0 : end + 1;
    end = slice.find('-', start);
    if (end == start || start == slice.size()) return wrong();  // "a--b.slice", "-a.slice", "a-.slice"
    path.append("/").append(slice.substr(0, end)).append(slice_suffix);
  }
  return path;
}

Result<UnitPlace> parse_unit_place(const std::string &cgroups_path, const std::string &id, bool user) {
  const std::string default_slice = user ? "user.slice" : "system.slice";
  if (cgroups_path.empty()) return UnitPlace{.slice = default_slice, .unit = "skiff-" + escape(id) + ".scope"};
  const std::size_t first = cgroups_path.find(':');
  const std::size_t second = first == std::string::npos ? first : cgroups_path.find(':', first + 1);
  if (second == std::string::npos || cgroups_path.find(':', second + 1) != std::string::npos) {
    return fail(fmt::format("linux.cgroupsPath: expected cgroupsPath to be of format \"slice:prefix:name\" for systemd "
                            "cgroups, got \"{}\" instead",
                            cgroups_path),
                "write it so, as in system.slice:skiff:name, or leave --systemd-cgroup out");
  }
  UnitPlace place{.slice = cgroups_path.substr(0, first), .unit = cgroups_path.substr(second + 1)};
  if (place.slice.empty()) place.slice = default_slice;
  if (place.slice == "-") place.slice = "-.slice";
  if (place.unit.empty()) {
    return fail(fmt::format("linux.cgroupsPath: \"{}\" has no name behind the second colon", cgroups_path),
                "write slice:prefix:name");
  }
  if (!place.unit.ends_with(slice_suffix)) {
    place.unit = fmt::format("{}-{}.scope", cgroups_path.substr(first + 1, second - first - 1), place.unit);
  }
  TRY(check_name(cgroups_path, place.unit));
  return place;
}

Result<Unit> make_unit(const UnitPlace &place, const spec::StringMap &annotations, const std::string &id, bool user,
                       bool unified) {
  const bool slice = place.unit.ends_with(slice_suffix);
  Unit unit{.name = place.unit, .slice = slice, .user = user, .properties = own_properties(place, id, slice, unified)};
  for (const auto &[key, text] : annotations) {
    if (key.starts_with(annotation::systemd_property)) unit.properties.push_back(TRY(parse_annotation(key, text)));
  }
  return unit;
}

}  // namespace skiff
