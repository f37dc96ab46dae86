#include "runtime/plan_intel_rdt.h"

#include <algorithm>
#include <map>

namespace skiff {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t start = text.find_first_not_of(blanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(blanks) - start + 1);
}

// The part before the separator; `text` keeps the rest.
std::string_view take(std::string_view &text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return trim(part);
}

std::string plain_number(std::string_view number) {
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  std::string out(number.empty() ? "0" : number);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

using Values = std::map<std::string, std::string>;

Values parse_values(std::string_view text) {
  Values values;
  while (!text.empty()) {
    std::string_view pair = take(text, ';');
    const std::string_view id = take(pair, '=');
    if (!id.empty()) values[plain_number(id)] = plain_number(trim(pair));
  }
  return values;
}

}  // namespace

std::vector<std::string> named_schemata(const spec::IntelRdt &rdt) {
  std::vector<std::string> lines;
  if (!rdt.l3_cache_schema.empty()) lines.push_back(rdt.l3_cache_schema);
  if (!rdt.mem_bw_schema.empty()) lines.push_back(rdt.mem_bw_schema);
  return lines;
}

IntelRdtPlan make_intel_rdt_plan(const spec::IntelRdt &rdt, std::string_view id) {
  IntelRdtPlan plan;
  plan.schemata = named_schemata(rdt);
  for (const std::string &schema : rdt.schemata) plan.schemata.push_back(schema);
  const bool own = rdt.clos_id.empty();
  if (own) {
    plan.group = id;
  } else if (rdt.clos_id != "/") {
    plan.group = rdt.clos_id;
  }
  plan.create = !plan.group.empty() && (own || !plan.schemata.empty());
  plan.remove = own;
  if (rdt.enable_monitoring) plan.monitor_group = id;
  return plan;
}

bool schemata_has(std::string_view schemata, std::string_view wanted) {
  const std::string_view resource = take(wanted, ':');
  const Values values = parse_values(wanted);
  while (!schemata.empty()) {
    std::string_view line = take(schemata, '\n');
    if (take(line, ':') != resource) continue;
    const Values there = parse_values(line);
    return std::ranges::all_of(values, [&](const auto &value) {
      const auto found = there.find(value.first);
      return found != there.end() && found->second == value.second;
    });
  }
  return false;
}

}  // namespace skiff
