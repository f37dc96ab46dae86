#include "compose/container_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compose/split.h"

namespace skiff::compose {
namespace {

constexpr std::array<std::string_view, 14> keys = {"id",       "name",   "label",   "status", "exited",
                                                   "ancestor", "volume", "network", "health", "publish",
                                                   "expose",   "before", "since",   "project"};

// A name without a tag stands for all of its tags.
bool is_of_image(const ContainerRecord &record, std::string_view text) {
  if (record.image == text || record.image_id == text) return true;
  if (record.image_id.starts_with("sha256:" + std::string(text))) return true;
  return record.image.starts_with(std::string(text) + ":");
}

bool has_port(const ContainerRecord &record, std::string_view text, bool published) {
  const auto [number, protocol] = split_once(text, '/');
  const bool any = std::ranges::any_of(record.ports, [&](const Port &port) {
    return std::to_string(published ? port.host.value_or(0) : port.container) == number &&
           port.protocol == protocol.value_or("tcp");
  });
  return any ||
         (!published && std::ranges::find(record.exposed, fmt::format("{}/{}", number, protocol.value_or("tcp"))) !=
                            record.exposed.end());
}

bool is_on(const ContainerRecord &record, std::string_view network) {
  return record.network_mode == network ||
         std::ranges::any_of(record.networks, [&](const Attachment &one) { return one.network == network; });
}

bool is_older(const Container &container, const std::vector<Container> &all, std::string_view other, bool older) {
  const auto found = std::ranges::find_if(
      all, [&](const Container &one) { return one.record.name == other || one.id().starts_with(other); });
  if (found == all.end()) return false;
  return older ? container.record.created < found->record.created : container.record.created > found->record.created;
}

bool meets(const Container &container, const std::vector<Container> &all, std::string_view key,
           std::string_view value) {
  const ContainerRecord &record = container.record;
  if (key == "id") return record.id.starts_with(value);
  if (key == "name") return record.name.find(value) != std::string::npos;
  if (key == "status") return phase_name(container.state.phase) == value;
  if (key == "exited") {
    return container.state.phase == ContainerState::Phase::exited &&
           std::to_string(container.state.run.exit_code) == value;
  }
  if (key == "ancestor") return is_of_image(record, value);
  if (key == "network") return is_on(record, value);
  if (key == "health") return container.state.health == value || (container.state.health.empty() && value == "none");
  if (key == "publish") return has_port(record, value, true);
  if (key == "expose") return has_port(record, value, false);
  if (key == "before") return is_older(container, all, value, true);
  if (key == "since") return is_older(container, all, value, false);
  if (key == "project") return record.project == value;
  return std::ranges::any_of(record.mounts,
                             [&](const MountRecord &one) { return one.name == value || one.target == value; });
}

}  // namespace

Result<ContainerFilter> ContainerFilter::parse(const std::vector<std::string_view> &words) {
  ContainerFilter filter;
  filter.filters_ = TRY(Filters::parse(words, keys));
  filter.names_status_ = std::ranges::any_of(
      words, [](std::string_view word) { return word.starts_with("status=") || word.starts_with("exited="); });
  return filter;
}

bool ContainerFilter::takes(const Container &container, const std::vector<Container> &all) const {
  return filters_.matches_labels(container.record.labels) && std::ranges::all_of(keys, [&](std::string_view key) {
           return key == "label" ||
                  filters_.matches(key, [&](const std::string &value) { return meets(container, all, key, value); });
         });
}

}  // namespace skiff::compose
