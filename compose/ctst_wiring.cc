#include "compose/ctst_wiring.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compose/ctst_values.h"
#include "runtime/cli/nearest.h"

namespace skiff::compose::ctst {
namespace {

// The way from one to the other along the links, both included; empty where there is none.
std::vector<std::string> find_way(const std::vector<Link> &links, std::string_view from, std::string_view to) {
  std::vector<std::pair<std::string_view, std::size_t>> reached = {{from, 0}};  // and the index of who led there
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (reached[i].first == to) {
      std::vector<std::string> way;
      for (std::size_t j = i; j != 0; j = reached[j].second) way.emplace_back(reached[j].first);
      way.emplace_back(from);
      std::ranges::reverse(way);
      return way;
    }
    for (const Link &link : links) {
      const auto known = [&](const auto &one) { return one.first == link.to; };
      if (link.from == reached[i].first && std::ranges::none_of(reached, known)) reached.emplace_back(link.to, i);
    }
  }
  return {};
}

class Wirer {
 public:
  Wirer(Library &library, const std::vector<Flat> &flats, const AllFacts &facts, Findings &findings)
      : library_(library), flats_(flats), facts_(facts), findings_(findings) {}

  Wiring wire() {
    for (const Connect &connect : library_.entry().tree.connects) add_link(connect);
    for (const Expose &expose : library_.entry().tree.exposes) add_exposed(expose);
    for (const Flat &flat : flats_) add_declared(flat);
    for (const Flat &flat : flats_) check_ports(flat);
    return std::move(wiring_);
  }

 private:
  bool known(const Name &name) {
    if (facts_.contains(name.text)) return true;
    if (find_template(library_, name.text) != nullptr) {
      findings_.error(name.at, "unknown-component", fmt::format("{} is a template: it is not started", name.text),
                      "connect what is made FROM it");
      return false;
    }
    cli::Nearest nearest(name.text);
    for (const Flat &flat : flats_) nearest.offer(flat.name.text);
    findings_.error(name.at, "unknown-component", fmt::format("there is no component {}", name.text),
                    nearest.found().empty() ? std::string() : fmt::format("did you mean {}?", nearest.found()));
    return false;
  }

  void add_link(const Connect &connect) {
    const bool from = known(connect.from);
    const bool to = known(connect.to);
    if (!from || !to) return;
    const std::string &a = connect.from.text;
    const std::string &b = connect.to.text;
    if (a == b) {
      findings_.error(connect.from.at, "self-connect", fmt::format("{} -> {}: it cannot wait for itself", a, b));
      return;
    }
    const auto same = [&](const Link &one) { return one.from == a && one.to == b; };
    if (const auto first = std::ranges::find_if(wiring_.links, same); first != wiring_.links.end()) {
      findings_.warn(connect.from.at, "duplicate-connect",
                     fmt::format("CONNECT {} -> {} stands in line {} already", a, b, first->at.line));
      return;
    }
    if (const std::vector<std::string> way = find_way(wiring_.links, b, a); !way.empty()) {
      findings_.error(connect.from.at, "dependency-cycle", fmt::format("a cycle: {} -> {}", a, fmt::join(way, " -> ")),
                      "one of them has to start first");
      return;
    }
    if (!check_prefix(connect)) return;
    check_network(connect);
    wiring_.links.push_back({a, b, connect.from.at});
  }

  bool check_prefix(const Connect &connect) {
    for (const Link &link : wiring_.links) {
      if (link.from != connect.from.text || variable_prefix(link.to) != variable_prefix(connect.to.text)) continue;
      findings_.error(connect.to.at, "duplicate-prefix",
                      fmt::format("{} and {} would both be {}_HOST in {}", link.to, connect.to.text,
                                  variable_prefix(link.to), link.from),
                      "rename one of them");
      return false;
    }
    return true;
  }

  void check_network(const Connect &connect) {
    const std::string &from = facts_.at(connect.from.text).network;
    const std::string &to = facts_.at(connect.to.text).network;
    if (from == to && from != "none") return;
    findings_.warn(connect.from.at, "no-shared-network",
                   fmt::format("{} is on network {}, {} on {}: {} will not reach it", connect.from.text, from,
                               connect.to.text, to, connect.from.text),
                   "give both the same network");
  }

  void add_exposed(const Expose &expose) {
    const std::optional<std::uint16_t> host = port(expose.host);
    const std::optional<std::uint16_t> container =
        expose.host.at.column == expose.container.at.column ? host : port(expose.container);
    if (!host || !container) return;
    const std::optional<std::string> name = whose(expose, *container);
    if (!name) return;
    wiring_.published[*name].push_back({*host, *container, expose.host.at});
    wiring_.exposed.push_back(*name);
  }

  std::optional<std::uint16_t> port(const ExposedPort &written) {
    const std::optional<std::uint16_t> number = parse_port(written.digits);
    if (!number) {
      findings_.error(written.at, "bad-port", fmt::format("{} is no port", written.digits), "ports are 1 to 65535");
    }
    return number;
  }

  std::optional<std::string> whose(const Expose &expose, std::uint16_t container) {
    std::vector<std::string> all;
    for (const Flat &flat : flats_) {
      const std::vector<DeclaredPort> &ports = facts_.at(flat.name.text).ports;
      const bool declares = std::ranges::find(ports, container, &DeclaredPort::number) != ports.end();
      const bool asked = !expose.component || expose.component->text == flat.name.text;
      if (declares && asked) all.push_back(flat.name.text);
    }
    if (expose.component && !known(*expose.component)) return std::nullopt;
    if (all.size() == 1) return all.front();
    if (all.empty()) {
      const std::string who = expose.component ? expose.component->text : "no component";
      findings_.error(expose.container.at, "unknown-port",
                      expose.component ? fmt::format("{} does not declare port {}", who, container)
                                       : fmt::format("no component declares port {}", container),
                      fmt::format("add port = {}{}", container, expose.component ? " to " + who : ""));
    } else {
      findings_.error(expose.container.at, "ambiguous-port",
                      fmt::format("port {} is declared by {}", container, fmt::join(all, " and ")),
                      fmt::format("write EXPOSE {} {}:{}", all.front(), expose.host.digits, container));
    }
    return std::nullopt;
  }

  // `ports` are published under their own numbers, but for those that an EXPOSE publishes otherwise.
  void add_declared(const Flat &flat) {
    const Facts &facts = facts_.at(flat.name.text);
    if (!facts.publishes) return;
    std::vector<Published> &all = wiring_.published[flat.name.text];
    const std::vector<Published> exposed = all;
    for (const DeclaredPort &port : facts.ports) {
      if (std::ranges::find(exposed, port.number, &Published::container) == exposed.end()) {
        all.push_back({port.number, port.number, port.at});
      }
    }
  }

  void check_ports(const Flat &flat) {
    const Facts &facts = facts_.at(flat.name.text);
    for (const Published &one : wiring_.published[flat.name.text]) {
      const auto [other, first] = host_ports_.emplace(one.host, std::pair(flat.name.text, one.at));
      if (!first) {
        findings_.error(one.at, "duplicate-host-port",
                        fmt::format("port {} of the host is taken by {} (line {})", one.host, other->second.first,
                                    other->second.second.line),
                        fmt::format("EXPOSE {} OTHER:{}", flat.name.text, one.container));
      } else if (facts.replicas > 1) {
        findings_.error(one.at, "duplicate-host-port",
                        fmt::format("{} replicas of {} cannot all have port {} of the host", facts.replicas,
                                    flat.name.text, one.host),
                        "publish a component in front of them");
      }
      if (facts.network == "none" || facts.network == "host") {
        findings_.warn(one.at, "published-without-network",
                       fmt::format("{} is on network {}: nothing is published", flat.name.text, facts.network));
      }
    }
  }

  Library &library_;
  const std::vector<Flat> &flats_;
  const AllFacts &facts_;
  Findings &findings_;
  Wiring wiring_;
  std::map<std::uint16_t, std::pair<std::string, Position>> host_ports_;
};

}  // namespace

bool Wiring::leads(std::string_view from, std::string_view to) const { return !find_way(links, from, to).empty(); }

Wiring make_wiring(Library &library, const std::vector<Flat> &flats, const AllFacts &facts, Findings &findings) {
  return Wirer(library, flats, facts, findings).wire();
}

std::string variable_prefix(std::string_view component) {
  std::string out(component);
  for (char &letter : out) {
    if (letter == '-' || letter == '.') letter = '_';
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 32);
  }
  return out;
}

}  // namespace skiff::compose::ctst
