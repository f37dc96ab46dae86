#include "compose/netavark.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "compose/network_record.h"
#include "compose/program.h"
#include "compose/record_fields.h"
#include "compose/wait_file.h"
#include "compose/words.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

// Where Debian, Fedora and `make install` put what Podman needs.
constexpr std::array<const char *, 4> folders = {"/usr/local/libexec/podman", "/usr/local/lib/podman",
                                                 "/usr/libexec/podman", "/usr/lib/podman"};

struct MapOption {
  std::vector<std::string> static_ips = {};
  std::string interface_name;
  std::optional<std::string> static_mac = {};
  std::vector<std::string> aliases = {};
};

struct MapSubnet {
  std::string subnet;
  std::string gateway;
};

struct MapNetwork {
  std::string name, id, driver, network_interface;
  std::vector<MapSubnet> subnets = {};
  bool ipv6_enabled = false;
  bool internal = false;
  bool dns_enabled = true;
  std::map<std::string, std::string> options = {};
  std::map<std::string, std::string> ipam_options = {};
};

struct MapPort {
  std::string host_ip;
  std::uint16_t container_port = 0;
  std::uint16_t host_port = 0;
  std::uint16_t range = 1;
  std::string protocol;
};

struct Input {
  std::string container_id, container_name;
  std::map<std::string, MapOption> networks = {};
  std::map<std::string, MapNetwork> network_info = {};
  std::vector<MapPort> port_mappings = {};
};

void fields(auto &v, spec::Like<MapOption> auto &option) {
  v.always("static_ips", option.static_ips);
  v.always("interface_name", option.interface_name);
  v.optional("static_mac", option.static_mac);
  v.always("aliases", option.aliases);
}

void fields(auto &v, spec::Like<MapSubnet> auto &subnet) {
  v.always("subnet", subnet.subnet);
  v.optional("gateway", subnet.gateway);
}

void fields(auto &v, spec::Like<MapNetwork> auto &network) {
  v.always("name", network.name);
  v.always("id", network.id);
  v.always("driver", network.driver);
  v.always("network_interface", network.network_interface);
  v.always("subnets", network.subnets);
  v.always("ipv6_enabled", network.ipv6_enabled);
  v.always("internal", network.internal);
  v.always("dns_enabled", network.dns_enabled);
  v.optional("options", network.options);
  v.always("ipam_options", network.ipam_options);
}

void fields(auto &v, spec::Like<MapPort> auto &port) {
  v.always("host_ip", port.host_ip);
  v.always("container_port", port.container_port);
  v.always("host_port", port.host_port);
  v.always("range", port.range);
  v.always("protocol", port.protocol);
}

void fields(auto &v, spec::Like<Input> auto &input) {
  v.always("container_id", input.container_id);
  v.always("container_name", input.container_name);
  v.always("networks", input.networks);
  v.always("network_info", input.network_info);
  v.optional("port_mappings", input.port_mappings);
}

struct Interface {
  std::string mac_address;
};

struct NetworkOutput {
  std::vector<std::string> dns_server_ips;
  std::map<std::string, Interface> interfaces;
};

void fields(auto &v, spec::Like<Interface> auto &interface) { v.optional("mac_address", interface.mac_address); }

void fields(auto &v, spec::Like<NetworkOutput> auto &network) {
  v.optional("dns_server_ips", network.dns_server_ips);
  v.optional("interfaces", network.interfaces);
}

struct Failure {
  std::string error;
};

void fields(auto &v, spec::Like<Failure> auto &failure) { v.required("error", failure.error); }

// Its error is a document on standard output.
std::string words_of_failure(const ProgramOutput &output) {
  const Result<Failure> failure = parse_document<Failure>("netavark", output.out);
  std::string text = failure ? failure->error : output.err + output.out;
  while (text.ends_with('\n')) text.pop_back();
  return text.empty() ? fmt::format("exit code {}", output.code) : text;
}

MapNetwork map_of(const NetworkRecord &record) {
  MapNetwork network{.name = record.name, .id = record.id, .driver = "bridge", .network_interface = record.bridge};
  for (const SubnetRecord &subnet : record.subnets) {
    network.subnets.push_back({.subnet = subnet.subnet, .gateway = subnet.gateway});
  }
  network.ipv6_enabled = record.ipv6;
  network.internal = record.internal;
  // Docker keeps its networks apart from one another.
  network.options["isolate"] = "true";
  if (const auto mtu = record.options.find("com.docker.network.driver.mtu"); mtu != record.options.end()) {
    network.options["mtu"] = mtu->second;
  }
  network.ipam_options["driver"] = "host-local";
  return network;
}

// Ports that follow one another on both sides are one rule.
std::vector<MapPort> maps_of(const std::vector<Port> &ports) {
  std::vector<MapPort> maps;
  for (const Port &port : ports) {
    MapPort *last = maps.empty() ? nullptr : &maps.back();
    if (last != nullptr && last->host_ip == port.host_address && last->protocol == port.protocol &&
        last->container_port + last->range == port.container && last->host_port + last->range == port.host) {
      ++last->range;
    } else {
      maps.push_back({.host_ip = port.host_address,
                      .container_port = port.container,
                      .host_port = port.host.value_or(0),
                      .protocol = port.protocol});
    }
  }
  return maps;
}

// proc_pid_status(5): whether it has a handler for SIGHUP, which would end it otherwise. True too when it is gone.
bool hears_hangup(pid_t pid) {
  const std::string status = read_if_there(fmt::format("/proc/{}/status", pid)).value_or("");
  const std::size_t at = status.find("SigCgt:");
  if (!status.starts_with("Name:\taardvark") || at == std::string::npos) return true;
  const std::string_view mask = words_of(lines_of(std::string_view(status).substr(at)).front()).back();
  return std::string_view("13579bdf").contains(mask.back());  // SIGHUP is the lowest bit
}

// aardvark-dns goes its own way when setup has started it: teardown fails before it has written its pid, and the signal
// by which it learns of another container kills it until it has a handler. Nothing tells of that moment.
Status wait_for_names(const Places &places) {
  constexpr std::chrono::milliseconds between_looks(1);
  constexpr int most_looks = 5000;
  const std::string directory = names_directory(places) + "/aardvark-dns";
  const kernel::Fd folder = TRY(kernel::find_at(kernel::cwd, directory, O_RDONLY | O_DIRECTORY));
  if (!folder.valid()) return {};
  // Without a network's file in there it has not been started.
  const std::vector<std::string> files = TRY(kernel::list_directory(folder));
  if (std::ranges::all_of(files, [](const std::string &name) { return name.starts_with("aardvark."); })) return {};
  if (!TRY(wait_for_file(directory, "aardvark.pid", std::chrono::seconds(5)))) return {};
  const pid_t pid = std::atoi(TRY(read_if_there(directory + "/aardvark.pid")).c_str());
  for (int i = 0; i < most_looks && !hears_hangup(pid); ++i) TRY(kernel::poll({}, between_looks));
  return {};
}

}  // namespace

Result<std::string> find_network_program(const std::string &name) {
  for (const char *folder : folders) {
    std::string place = fmt::format("{}/{}", folder, name);
    if (kernel::faccessat(kernel::cwd, place, X_OK)) return place;
  }
  Result<std::string> found = find_program(name);
  if (!found) found.error().remedy = fmt::format("install the package {}, or use --network host or none", name);
  return found;
}

std::string netavark_input(const std::vector<NetworkRecord> &networks, const NetworkState &state) {
  Input input{.container_id = state.container, .container_name = state.name};
  for (const Endpoint &endpoint : state.endpoints) {
    const auto record = std::ranges::find(networks, endpoint.network, &NetworkRecord::name);
    if (record == networks.end()) continue;
    MapOption option{.interface_name = endpoint.interface_name, .aliases = endpoint.aliases};
    for (const std::string &address : endpoint.addresses) {
      option.static_ips.push_back(address.substr(0, address.find('/')));
    }
    if (!endpoint.mac_address.empty()) option.static_mac = endpoint.mac_address;
    input.networks[endpoint.network] = std::move(option);
    input.network_info[endpoint.network] = map_of(*record);
  }
  input.port_mappings = maps_of(state.ports);
  return spec::Writer("").document(input);
}

Status read_netavark_output(std::string_view text, NetworkState &state) {
  const auto document = spec::json::Document::parse(text);
  if (!document) return std::unexpected(spec::findings_error("netavark setup", {document.error()}));
  std::vector<spec::Finding> findings;
  std::map<std::string, NetworkOutput> outputs;
  spec::Reader(findings).document(document->root(), outputs);
  if (!findings.empty()) return std::unexpected(spec::findings_error("netavark setup", findings));
  for (Endpoint &endpoint : state.endpoints) {
    const auto output = outputs.find(endpoint.network);
    if (output == outputs.end()) continue;
    endpoint.name_servers = output->second.dns_server_ips;
    const auto interface = output->second.interfaces.find(endpoint.interface_name);
    if (interface != output->second.interfaces.end()) endpoint.mac_address = interface->second.mac_address;
  }
  return {};
}

Status run_netavark(Netavark verb, const Places &places, const std::vector<NetworkRecord> &networks,
                    NetworkState &state) {
  const char *word = verb == Netavark::setup ? "setup" : "teardown";
  const Words words = {TRY(find_network_program("netavark")),
                       "--config",
                       names_directory(places),
                       "--aardvark-binary",
                       TRY(find_network_program("aardvark-dns")),
                       word,
                       state.path};
  TRY(wait_for_names(places));
  const ProgramOutput output = TRY(run_program(words, netavark_input(networks, state)));
  if (output.code != 0) {
    const std::string said = words_of_failure(output);
    const bool lacks_program = said.contains("No such file or directory") && !find_program("iptables");
    return fail(fmt::format("netavark {}: {}", word, said), lacks_program ? "install the package iptables" : "");
  }
  return verb == Netavark::setup ? read_netavark_output(output.out, state) : Status();
}

}  // namespace skiff::compose
