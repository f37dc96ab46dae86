#include "compose/merge.h"

#include <fmt/format.h>

#include <algorithm>

#include "compose/schema.h"

namespace skiff::compose {
namespace {

std::string text_at(const Value &map, std::string_view key, std::string_view otherwise = {}) {
  const Value *value = map.find(key);
  return value == nullptr || !value->is_scalar() ? std::string(otherwise) : value->text;
}

// What makes an entry of a list the same as another; empty for one that is like no other.
std::string identity(const Value &entry, Join join) {
  switch (join) {
    case Join::unique:
      return entry.text;
    case Join::by_name:
      return entry.text.substr(0, entry.text.find('='));
    case Join::by_target:
      return text_at(entry, "target");
    case Join::by_file: {
      std::string target = text_at(entry, "target", text_at(entry, "source"));
      constexpr std::string_view folder = "/run/secrets/";
      return target.starts_with(folder) ? target.substr(folder.size()) : target;
    }
    case Join::by_port:
      if (entry.kind != Value::Kind::map) return entry.text;
      return fmt::format("{}|{}|{}|{}", text_at(entry, "host_ip", "0.0.0.0"), text_at(entry, "target"),
                         text_at(entry, "published"), text_at(entry, "protocol", "tcp"));
    case Join::by_subnet:
      return text_at(entry, "subnet");
    case Join::by_path:
      return text_at(entry, "path");
    default:
      return {};
  }
}

bool merges_entries(Join join) { return join == Join::by_subnet; }

class Merger {
 public:
  explicit Merger(Findings &findings) : findings_(findings) {}

  void object(Value &into, Value &from, std::span<const Key> keys, const std::string &path) {
    for (Member &member : from.members) {
      const Key *key = find_key(keys, member.key);
      one(into, member, key, join_path(path, member.key));
    }
  }

 private:
  void one(Value &into, Member &member, const Key *key, const std::string &path) {
    if (member.value.tag == Tag::reset) return into.remove(member.key);
    Value *there = into.find(member.key);
    const bool fresh = there == nullptr || there->kind == Value::Kind::null || member.value.tag == Tag::override_;
    if (fresh || (key != nullptr && key->join == Join::replace)) {
      drop_tags(member.value);
      if (there == nullptr) {
        into.members.push_back(std::move(member));
      } else {
        *there = std::move(member.value);
      }
      return;
    }
    value(*there, member.value, key, path);
  }

  void value(Value &into, Value &from, const Key *key, const std::string &path) {
    // "FOO:" alone in a later file takes nothing away, but an environment's variable without a value is one.
    if (from.kind == Value::Kind::null) {
      if (key == nullptr || key->form == Form::any) into = std::move(from);
      return;
    }
    if (into.kind != from.kind && !(into.is_scalar() && from.is_scalar())) return differ(into, from, key, path);
    if (from.kind == Value::Kind::map) return maps(into, from, key, path);
    if (from.kind == Value::Kind::list) return lists(into, from, key);
    drop_tags(from);
    into = std::move(from);
  }

  void differ(Value &into, Value &from, const Key *key, const std::string &path) {
    // `nofile: 1024` over {soft, hard}, and back.
    if (key != nullptr && key->name == "ulimits") {
      into = std::move(from);
      return;
    }
    findings_.error(from.at, "merge",
                    fmt::format("{}: a list, a map or a scalar was given before, and now another", path),
                    "!override replaces it");
  }

  void maps(Value &into, Value &from, const Key *key, const std::string &path) {
    if (key == nullptr || key->form == Form::any) return object(into, from, {}, path);
    if (key->form == Form::text_map) {
      for (Member &member : from.members) text_entry(into, member);
    } else if (key->form == Form::named) {
      named(into, from, *key, path);
    } else {
      if (key->join == Join::with_driver) drop_options(into, from);
      object(into, from, key->keys, path);
    }
  }

  static void text_entry(Value &into, Member &member) {
    if (member.value.tag == Tag::reset) return into.remove(member.key);
    drop_tags(member.value);
    Value *there = into.find(member.key);
    if (there != nullptr) {
      *there = std::move(member.value);
    } else {
      into.members.push_back(std::move(member));
    }
  }

  void named(Value &into, Value &from, const Key &key, const std::string &path) {
    const Key entry{.name = key.name, .form = Form::object, .keys = key.keys};
    for (Member &member : from.members) one(into, member, &entry, join_path(path, member.key));
  }

  // Options of one driver mean nothing to another.
  static void drop_options(Value &into, const Value &from) {
    const Value *before = into.find("driver");
    const Value *now = from.find("driver");
    if (before != nullptr && now != nullptr && before->text != now->text) into.remove("options");
  }

  void lists(Value &into, Value &from, const Key *key) {
    const Join join = key == nullptr ? Join::append : key->join;
    for (Value &item : from.items) {
      if (item.tag == Tag::reset) continue;
      drop_tags(item);
      const std::string name = identity(item, join);
      const auto there = name.empty() ? into.items.end() : std::ranges::find_if(into.items, [&](const Value &other) {
        return identity(other, join) == name;
      });
      if (there == into.items.end()) {
        into.items.push_back(std::move(item));
      } else if (merges_entries(join) && item.kind == Value::Kind::map) {
        object(*there, item, key->keys, {});
      } else {
        *there = std::move(item);
      }
    }
  }

  Findings &findings_;
};

void unique_object(Value &map, std::span<const Key> keys);

void unique_list(Value &list, Join join) {
  std::vector<Value> kept;
  for (Value &item : list.items) {
    const std::string name = identity(item, join);
    const auto there =
        name.empty() ? kept.end()
                     : std::ranges::find_if(kept, [&](const Value &other) { return identity(other, join) == name; });
    if (there == kept.end()) {
      kept.push_back(std::move(item));
    } else {
      *there = std::move(item);
    }
  }
  list.items = std::move(kept);
}

void unique_value(Value &value, const Key &key) {
  if (key.form == Form::object) unique_object(value, key.keys);
  if (key.form == Form::named) {
    for (Member &member : value.members) unique_object(member.value, key.keys);
  }
  const bool lists = key.form == Form::texts || key.form == Form::objects;
  if (lists && value.kind == Value::Kind::list && key.join != Join::append && key.join != Join::replace) {
    unique_list(value, key.join);
  }
}

void unique_object(Value &map, std::span<const Key> keys) {
  for (Member &member : map.members) {
    if (const Key *key = find_key(keys, member.key)) unique_value(member.value, *key);
  }
}

}  // namespace

void merge_file(Value &file, Value later, Findings &findings) {
  if (later.kind != Value::Kind::map) return;
  if (file.kind != Value::Kind::map) file = Value::of_map(later.at);
  Merger(findings).object(file, later, file_keys(), {});
}

void merge_service(Value &service, Value later, Findings &findings) {
  if (later.kind != Value::Kind::map) return;
  const Key *services = find_key(file_keys(), "services");
  Merger(findings).object(service, later, services->keys, {});
}

void drop_tags(Value &value) {
  value.tag = Tag::none;
  std::erase_if(value.members, [](const Member &member) { return member.value.tag == Tag::reset; });
  std::erase_if(value.items, [](const Value &item) { return item.tag == Tag::reset; });
  for (Member &member : value.members) drop_tags(member.value);
  for (Value &item : value.items) drop_tags(item);
}

void enforce_unique(Value &file) { unique_object(file, file_keys()); }

}  // namespace skiff::compose
