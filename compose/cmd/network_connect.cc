#include <fmt/format.h>

#include <algorithm>

#include "compose/cmd/command.h"
#include "compose/container_names.h"
#include "compose/contains.h"
#include "compose/network.h"

namespace skiff::compose {
namespace {

constexpr std::array<cli::FlagSpec, 5> connect_flags = {{
    {.name = "alias", .kind = cli::Kind::Strings, .value = "NAME", .text = "one more name on that network"},
    {.name = "ip", .value = "ADDRESS", .text = "its IPv4 address"},
    {.name = "ip6", .value = "ADDRESS", .text = "its IPv6 address"},
    {.name = "mac-address", .value = "ADDRESS", .text = "its hardware address"},
    {.name = "driver-opt", .kind = cli::Kind::Strings, .value = "KEY=VALUE", .text = "accepted", .hidden = true},
}};
constexpr std::array<cli::FlagSpec, 1> disconnect_flags = {
    {{.name = "force", .letter = 'f', .kind = cli::Kind::Bool, .text = "one that is not on it is no error"}}};

Attachment attachment_of(const Context &context, const std::string &network) {
  Attachment attachment;
  attachment.network = network;
  for (const std::string_view alias : context.flags().strings("alias")) attachment.aliases.emplace_back(alias);
  attachment.ipv4_address = context.flag("ip");
  attachment.ipv6_address = context.flag("ip6");
  attachment.mac_address = context.flag("mac-address");
  return attachment;
}

struct Member {
  Places places;
  NetworkRecord network;
  kernel::Fd lock;
  Container container;

  // The record is what the next start attaches it to.
  [[nodiscard]] Status save(const Result<NetworkState> &state) const {
    if (state) TRY(write_container_names(places, container.record, state->endpoints));
    return save_record(places, container.record);
  }
};

Result<Member> find_member(const Context &context) {
  Member member;
  member.places = TRY(find_places(context.global()));
  member.network = TRY(find_network(member.places, context.argument(0)));
  const std::string id = TRY(find_id(member.places, context.argument(1)));
  member.lock = TRY(lock_container(member.places, id));
  member.container = TRY(load_container(member.places, id));
  const std::string &mode = member.container.record.network_mode;
  if (mode.empty()) return member;
  return fail(fmt::format("{} has the network mode {}", member.container.record.name, mode),
              "only a container with networks of its own can be connected");
}

Result<int> connect(const Context &context) {
  Member member = TRY(find_member(context));
  ContainerRecord &record = member.container.record;
  const Attachment attachment = attachment_of(context, member.network.name);
  if (contains(record.networks, attachment.network, &Attachment::network)) {
    return fail(EEXIST, fmt::format("container {} on network {}", record.name, attachment.network));
  }
  Result<NetworkState> state = fail(ESRCH, record.name);
  if (member.container.state.is_running()) {
    state = connect_network(member.places, record.id, attachment);
    TRY(state);
  }
  record.networks.push_back(attachment);
  TRY(member.save(state));
  return 0;
}

Result<int> disconnect(const Context &context) {
  Member member = TRY(find_member(context));
  ContainerRecord &record = member.container.record;
  if (!contains(record.networks, member.network.name, &Attachment::network)) {
    if (context.flags().boolean("force")) return 0;
    return fail(ENOENT, fmt::format("container {} on network {}", record.name, member.network.name));
  }
  Result<NetworkState> state = fail(ESRCH, record.name);
  if (member.container.state.is_running()) {
    state = disconnect_network(member.places, record.id, member.network.name);
    TRY(state);
  }
  std::erase_if(record.networks, [&](const Attachment &one) { return one.network == member.network.name; });
  TRY(member.save(state));
  return 0;
}

}  // namespace

const CommandEntry network_connect_command = {.command = {.name = "network connect",
                                                          .usage = "NETWORK CONTAINER",
                                                          .summary = "attach a container to one more network",
                                                          .flags = connect_flags,
                                                          .min_positionals = 2,
                                                          .max_positionals = 2},
                                              .run = connect};

const CommandEntry network_disconnect_command = {.command = {.name = "network disconnect",
                                                             .usage = "NETWORK CONTAINER",
                                                             .summary = "take a container off a network",
                                                             .flags = disconnect_flags,
                                                             .min_positionals = 2,
                                                             .max_positionals = 2},
                                                 .run = disconnect};

}  // namespace skiff::compose
