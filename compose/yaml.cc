#include "compose/yaml.h"

#include <fmt/format.h>
#include <libfyaml.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace skiff::compose {
namespace {

// What aliases may add to a file: a few lines of them can stand for more values than memory holds.
constexpr std::size_t most_copies = 100000;
// libfyaml has its own limit of the same size, but only for flow collections.
constexpr int deepest = 64;

struct ParserDeleter {
  void operator()(fy_parser *parser) const { fy_parser_destroy(parser); }
};
struct DiagDeleter {
  void operator()(fy_diag *diag) const { fy_diag_destroy(diag); }
};
struct EventDeleter {
  fy_parser *parser;
  void operator()(fy_event *event) const { fy_parser_event_free(parser, event); }
};
using Event = std::unique_ptr<fy_event, EventDeleter>;

std::string text_of(fy_token *token) {
  if (token == nullptr) return {};
  std::size_t size = 0;
  const char *text = fy_token_get_text(token, &size);
  return text == nullptr ? std::string() : std::string(text, size);
}

std::size_t count_of(const Value &value) {
  std::size_t count = 1;
  for (const Value &item : value.items) count += count_of(item);
  for (const Member &member : value.members) count += count_of(member.value);
  return count;
}

class Builder {
 public:
  Builder(const Source &source, Findings &findings) : source_(source), findings_(findings) {
    for (std::size_t i = 0; i < source.text.size(); ++i) {
      if (source.text[i] == '\n') line_begins_.push_back(i + 1);
    }
  }

  std::vector<Value> build() {
    std::vector<Value> documents;
    if (!open()) return documents;
    while (Event event = next()) {
      if (event->type != FYET_DOCUMENT_START) continue;
      anchors_.clear();
      documents.push_back(node(next(), 0));
    }
    tell_errors();
    return documents;
  }

 private:
  bool open() {
    fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = nullptr;
    diag_.reset(fy_diag_create(&diag_config));
    if (diag_ == nullptr) return false;
    fy_diag_set_collect_errors(diag_.get(), true);
    fy_parse_cfg config{};
    config.flags = FYPCF_QUIET;
    config.diag = diag_.get();
    parser_.reset(fy_parser_create(&config));
    return parser_ != nullptr && fy_parser_set_string(parser_.get(), source_.text.data(), source_.text.size()) == 0;
  }

  Event next() { return {fy_parser_parse(parser_.get()), EventDeleter{parser_.get()}}; }

  void tell_errors() {
    void *walk = nullptr;
    while (const fy_diag_error *error = fy_diag_errors_iterate(diag_.get(), &walk)) {
      const Position at{&source_, static_cast<std::uint32_t>(std::max(error->line, 1)),
                        static_cast<std::uint32_t>(std::max(error->column, 1))};
      findings_.error(at, "yaml", error->msg == nullptr ? "this is no YAML" : error->msg);
    }
    if (fy_parser_get_stream_error(parser_.get()) && !findings_.has_errors()) {
      findings_.error({&source_, 1, 1}, "yaml", "this is no YAML");
    }
  }

  // libfyaml counts letters; a Position counts bytes.
  Position place_of(fy_token *token) {
    const fy_mark *mark = token == nullptr ? nullptr : fy_token_start_mark(token);
    if (mark == nullptr) return last_;
    // A quoted scalar's mark stands behind its quote, an alias's behind its star.
    std::size_t offset = mark->input_pos;
    if (offset > 0 && std::string_view("\"'*").find(source_.text[offset - 1]) != std::string_view::npos) --offset;
    const auto line = std::prev(std::ranges::upper_bound(line_begins_, offset));
    last_ = {&source_, static_cast<std::uint32_t>(line - line_begins_.begin() + 1),
             static_cast<std::uint32_t>(offset - *line + 1)};
    return last_;
  }

  void tag(Value &value, fy_token *token) {
    const std::string name = text_of(token);
    if (name == "!reset") value.tag = Tag::reset;
    if (name == "!override") value.tag = Tag::override_;
    if (name == "tag:yaml.org,2002:str" || name == "!!str") {
      if (value.is_scalar()) value.kind = Value::Kind::string;
    }
    constexpr std::string_view standard = "tag:yaml.org,2002:";
    if (name.empty() || value.tag != Tag::none || name == "!" || name.starts_with(standard)) return;
    findings_.error(place_of(token), "yaml-tag", fmt::format("{}: this tag means nothing here", name),
                    "compose files know !reset and !override");
  }

  Value node(Event event, int depth) {
    if (event == nullptr) return {};
    Value value;
    std::string anchor;
    switch (event->type) {
      case FYET_ALIAS:
        return alias(event->alias.anchor);
      case FYET_SCALAR:
        value = scalar(event->scalar);
        anchor = text_of(event->scalar.anchor);
        break;
      case FYET_SEQUENCE_START:
        anchor = text_of(event->sequence_start.anchor);
        value = Value::of_list(place_of(event->sequence_start.sequence_start));
        tag(value, event->sequence_start.tag);
        list(value, depth + 1);
        break;
      case FYET_MAPPING_START:
        anchor = text_of(event->mapping_start.anchor);
        value = Value::of_map(place_of(event->mapping_start.mapping_start));
        tag(value, event->mapping_start.tag);
        map(value, depth + 1);
        break;
      default:
        return value;
    }
    if (!anchor.empty()) anchors_[anchor] = value;
    return value;
  }

  Value scalar(const fy_event_scalar_data &data) {
    Value value = Value::of_string(text_of(data.value), place_of(data.value));
    if (data.value == nullptr || fy_token_scalar_style(data.value) == FYSS_PLAIN)
      value.kind = kind_of_plain(value.text);
    if (value.kind == Value::Kind::boolean)
      std::ranges::transform(value.text, value.text.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
      });
    if (value.kind == Value::Kind::null) value.text.clear();
    tag(value, data.tag);
    return value;
  }

  Value alias(fy_token *token) {
    const std::string name = text_of(token);
    const Position at = place_of(token);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      findings_.error(at, "yaml-alias", fmt::format("*{}: no anchor of this name stands before it", name));
      return {};
    }
    copies_ += count_of(found->second);
    if (copies_ > most_copies) {
      if (!told_copies_) {
        findings_.error(at, "yaml-alias", fmt::format("*{}: aliases make more than {} values", name, most_copies));
      }
      told_copies_ = true;
      return {};
    }
    return found->second;
  }

  bool too_deep(int depth, Position at) {
    if (depth <= deepest) return false;
    if (!told_depth_) findings_.error(at, "yaml-depth", fmt::format("nested deeper than {} levels", deepest));
    told_depth_ = true;
    return true;
  }

  // Reads on to the end of what began: the events have to be taken whether or not they are kept.
  void skip() {
    for (int open = 1; open > 0;) {
      const Event event = next();
      if (event == nullptr) return;
      if (event->type == FYET_MAPPING_START || event->type == FYET_SEQUENCE_START) ++open;
      if (event->type == FYET_MAPPING_END || event->type == FYET_SEQUENCE_END) --open;
    }
  }

  void list(Value &value, int depth) {
    if (too_deep(depth, value.at)) return skip();
    while (Event event = next()) {
      if (event->type == FYET_SEQUENCE_END) return;
      value.items.push_back(node(std::move(event), depth));
    }
  }

  void map(Value &value, int depth) {
    if (too_deep(depth, value.at)) return skip();
    std::vector<Value> merged;
    while (Event event = next()) {
      if (event->type == FYET_MAPPING_END) break;
      const bool merges = is_merge_key(*event);
      const Value key = node(std::move(event), depth);
      const Position at = key.at;
      Value member = node(next(), depth);
      if (member.at.line == 0) member.at = at;
      if (merges) {
        merged.push_back(std::move(member));
      } else {
        add(value, key, std::move(member));
      }
    }
    for (Value &from : merged) merge(value, from);
  }

  static bool is_merge_key(const fy_event &event) {
    return event.type == FYET_SCALAR && event.scalar.value != nullptr &&
           fy_token_scalar_style(event.scalar.value) == FYSS_PLAIN && text_of(event.scalar.value) == "<<";
  }

  void add(Value &map, const Value &key, Value member) {
    if (!key.is_scalar()) {
      findings_.error(key.at, "yaml-key", "a list or a map is no key");
    } else if (const auto there = std::ranges::find(map.members, key.text, &Member::key); there != map.members.end()) {
      findings_.error(key.at, "duplicate-key",
                      fmt::format("\"{}\" stands here twice, first in line {}", key.text, there->at.line));
    } else {
      map.members.push_back({key.text, key.at, std::move(member)});
    }
  }

  // https://yaml.org/type/merge.html: what the map has itself wins, then the first of several.
  void merge(Value &map, Value &from) {
    if (from.kind == Value::Kind::list) {
      for (Value &one : from.items) merge(map, one);
    } else if (from.kind == Value::Kind::map) {
      for (Member &member : from.members) {
        if (map.find(member.key) == nullptr) map.members.push_back(std::move(member));
      }
    } else if (from.kind != Value::Kind::null) {
      findings_.error(from.at, "yaml-merge", "<<: only a map, or a list of maps, can be merged");
    }
  }

  const Source &source_;
  Findings &findings_;
  std::unique_ptr<fy_diag, DiagDeleter> diag_;
  std::unique_ptr<fy_parser, ParserDeleter> parser_;  // uses diag_: goes first
  std::vector<std::size_t> line_begins_ = {0};
  std::map<std::string, Value> anchors_;
  Position last_{};
  std::size_t copies_ = 0;
  bool told_copies_ = false;
  bool told_depth_ = false;
};

bool all_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

constexpr std::string_view digits = "0123456789";

bool is_decimal(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  std::string_view exponent;
  if (const std::size_t at = text.find_first_of("eE"); at != std::string_view::npos) {
    exponent = text.substr(at + 1);
    text = text.substr(0, at);
    if (exponent.starts_with('-') || exponent.starts_with('+')) exponent.remove_prefix(1);
    if (!all_of(exponent, digits)) return false;
  }
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return all_of(text, digits);
  const std::string_view whole = text.substr(0, dot);
  const std::string_view part = text.substr(dot + 1);
  return (whole.empty() || all_of(whole, digits)) && (part.empty() ? !whole.empty() : all_of(part, digits));
}

bool is_number(std::string_view text) {
  if (text.starts_with("0x")) return all_of(text.substr(2), "0123456789abcdefABCDEF");
  if (text.starts_with("0o")) return all_of(text.substr(2), "01234567");
  if (is_decimal(text)) return true;
  const bool sign = text.starts_with('-') || text.starts_with('+');
  const std::string_view special = text.substr(sign ? 1 : 0);
  return special == ".inf" || special == ".Inf" || special == ".INF" || text == ".nan" || text == ".NaN" ||
         text == ".NAN";
}

}  // namespace

Value::Kind kind_of_plain(std::string_view text) {
  for (const std::string_view word : {"", "~", "null", "Null", "NULL"}) {
    if (text == word) return Value::Kind::null;
  }
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) return Value::Kind::boolean;
  }
  return is_number(text) ? Value::Kind::number : Value::Kind::string;
}

std::vector<Value> parse_yaml(const Source &source, Findings &findings) { return Builder(source, findings).build(); }

}  // namespace skiff::compose
