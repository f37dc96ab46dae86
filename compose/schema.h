// Every key that a compose file may have: what its value is in the long form, how two files' values become one, whether
// it has an effect here. One table for checking, merging and printing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "compose/finding.h"
#include "compose/value.h"

namespace skiff::compose {

enum class Form : std::uint8_t {
  text,
  boolean,
  integer,
  number,
  duration,
  bytes,
  texts,     // a list of scalars
  text_map,  // a map of scalars; null where a value may be absent
  object,    // a map of the keys given
  objects,   // a list of such
  named,     // a map of such with names of the user's choice; null counts as an empty one
  any,
};

// compose-spec, "Merge and override"; maps are merged key by key, scalars replaced.
enum class Join : std::uint8_t {
  append,
  replace,      // command, entrypoint, healthcheck.test
  unique,       // a list of texts without repetition
  by_name,      // "NAME=VALUE" in a list: the later of a name wins
  by_target,    // volumes, devices: one a target
  by_file,      // secrets, configs: the same, where a missing target is the source's name
  by_port,      // ports: {host_ip, target, published, protocol}
  by_subnet,    // ipam.config
  by_path,      // env_file
  with_driver,  // logging: options of another driver are dropped
};

enum class Effect : std::uint8_t {
  here,
  none,    // accepted, printed, warned about
  remark,  // accepted and printed; without an effect by its nature
};

struct Key {
  std::string_view name;
  Form form = Form::text;
  std::span<const Key> keys = {};
  Join join = Join::append;
  Effect effect = Effect::here;
  std::string_view choices = {};  // "a|b": nothing else, where given
};

// The keys of a whole file, in the order in which `config` prints them.
[[nodiscard]] std::span<const Key> file_keys();
[[nodiscard]] const Key *find_key(std::span<const Key> keys, std::string_view name);

// A tree in long forms against the table: unknown keys, wrong types, keys without effect. Tagged values are not looked
// into where they only take away. `lenient`: a text with a "$" may be anything (config --no-interpolate).
void check_keys(const Value &file, bool lenient, Findings &findings);

// The order of the table, names and x-keys sorted.
void sort_keys(Value &file);

// Whether a scalar is what the form asks for.
[[nodiscard]] bool fits(const Value &value, Form form);

// "services.web.ports[1]"
[[nodiscard]] std::string join_path(std::string_view parent, std::string_view key);

}  // namespace skiff::compose
