// What netavark leaves in the firewall when the last of its networks is gone: empty chains, and jumps to them.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compose/netavark.h"
#include "compose/program.h"
#include "compose/words.h"

namespace skiff::compose {
namespace {

constexpr std::string_view chain_prefix = "NETAVARK";

struct Table {
  std::string_view name;
  std::set<std::string_view> chains = {};    // netavark's
  std::vector<std::string_view> jumps = {};  // from other chains to them: "FORWARD -j NETAVARK_FORWARD"
  bool in_use = false;
};

// One rule of iptables-save(8): "-A CHAIN ... -j TARGET". netavark's own hold nothing of a network but a subnet, a
// port or an interface.
void take_rule(Table &table, std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() < 2 || words[0] != "-A") return;
  if (words[1].starts_with(chain_prefix)) {
    const bool names_network = std::ranges::any_of(words, [](std::string_view word) {
      return word == "-s" || word == "-d" || word == "-i" || word == "-o" || word == "--dport";
    });
    table.in_use = table.in_use || names_network;
  } else if (line.contains(fmt::format("-j {}", chain_prefix))) {
    table.jumps.push_back(line.substr(3));
  }
}

std::string removal_of(const Table &table) {
  std::string text = fmt::format("*{}\n", table.name);
  for (const std::string_view jump : table.jumps) text += fmt::format("-D {}\n", jump);
  for (const std::string_view chain : table.chains) text += fmt::format("-F {}\n", chain);
  for (const std::string_view chain : table.chains) text += fmt::format("-X {}\n", chain);
  return text + "COMMIT\n";
}

Status remove_chains(const std::string &family) {
  const Result<std::string> save = find_program(family + "-save");
  // A netavark that uses nftables itself needs no iptables.
  if (!save) return {};
  const std::string removal = chain_removal(TRY(call_program({*save})));
  if (removal.empty()) return {};
  TRY(call_program({TRY(find_program(family + "-restore")), "--noflush", "--wait"}, removal));
  return {};
}

// netavark 1.10 and later can do without iptables, in a table of its own.
Status remove_table() {
  const Result<std::string> nft = find_program("nft");
  if (!nft) return {};
  const ProgramOutput table = TRY(run_program({*nft, "list", "table", "inet", "netavark"}));
  if (table.code != 0 || table.out.contains("saddr") || table.out.contains("daddr") || table.out.contains("dport")) {
    return {};
  }
  TRY(call_program({*nft, "delete", "table", "inet", "netavark"}));
  return {};
}

}  // namespace

std::string chain_removal(std::string_view iptables_save) {
  std::vector<Table> tables;
  for (const std::string_view line : lines_of(iptables_save)) {
    if (line.starts_with('*')) tables.push_back({.name = line.substr(1)});
    if (tables.empty()) continue;
    if (line.starts_with(':') && line.substr(1).starts_with(chain_prefix)) {
      tables.back().chains.insert(words_of(line.substr(1)).front());
    }
    take_rule(tables.back(), line);
  }
  if (std::ranges::any_of(tables, &Table::in_use)) return {};
  std::string text;
  for (const Table &table : tables) {
    if (!table.chains.empty()) text += removal_of(table);
  }
  return text;
}

Status remove_empty_chains() {
  TRY(remove_chains("iptables"));
  TRY(remove_chains("ip6tables"));
  return remove_table();
}

}  // namespace skiff::compose
