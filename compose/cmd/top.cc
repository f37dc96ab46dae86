#include <fmt/format.h>

#include "compose/cmd/format_flag.h"
#include "compose/cmd/project_scope.h"
#include "compose/container.h"
#include "compose/engine.h"
#include "compose/output.h"
#include "compose/words.h"
#include "spec/writer.h"

namespace skiff::compose {
namespace {

constexpr auto top_flags = std::to_array<cli::FlagSpec>({
    format_flag("table|json"),
});

constexpr auto port_flags = std::to_array<cli::FlagSpec>({
    {.name = "index", .kind = cli::Kind::Uint32, .value = "N", .text = "of a service: which of its containers"},
    {.name = "protocol", .value = "NAME", .text = "of a port without one", .choices = "tcp|udp|sctp", .initial = "tcp"},
    format_flag("text|json"),
});

// docker's document of a container's processes.
struct Processes {
  std::string container;
  std::vector<std::string> titles;
  std::vector<std::vector<std::string>> rows;
};

void fields(spec::Writer &v, const Processes &processes) {
  v.always("Name", processes.container);
  v.always("Titles", processes.titles);
  v.always("Processes", processes.rows);
}

// The last column, a command, has blanks of its own.
std::vector<std::string> cells_of(std::string_view line, std::size_t columns) {
  const std::vector<std::string_view> words = words_of(line);
  std::vector<std::string> cells;
  for (const std::string_view word : words) {
    if (cells.size() < columns) cells.emplace_back(word);
  }
  if (words.size() > columns) cells.back() = line.substr(words[columns - 1].data() - line.data());
  return cells;
}

Processes parse_processes(const std::string &container, std::string_view table) {
  Processes processes{.container = container, .titles = {}, .rows = {}};
  for (const std::string_view line : lines_of(table)) {
    if (processes.titles.empty()) {
      processes.titles = cells_of(line, words_of(line).size());
    } else {
      processes.rows.push_back(cells_of(line, processes.titles.size()));
    }
  }
  return processes;
}

// Each with its name above, as docker compose has it.
Result<int> top_of_project(const Engine &engine, const std::vector<Container> &containers, bool json) {
  std::string text;
  std::vector<Processes> all;
  for (const Container &one : containers) {
    if (!one.state.is_running()) continue;
    const std::string processes = TRY(call_program(engine.run_runtime({"ps", one.id()})));
    if (json) all.push_back(parse_processes(one.record.name, processes));
    text += fmt::format("{}{}\n{}", text.empty() ? "" : "\n", one.record.name, processes);
  }
  return print(json ? spec::Writer("  ").document(all) + "\n" : text);
}

Result<int> top(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const std::optional<Scope> scope = TRY(find_scope(context));
  const std::vector<std::string> names = names_of(context);
  const bool json = context.flag("format") == "json";
  if (scope && (names.empty() || !find_id(engine.places, names.front()))) {
    return top_of_project(engine, TRY(containers_in(engine.places, *scope, names)), json);
  }
  TRY(need_name(context));
  const Container container = TRY(find_container(engine.places, context.argument(0)));
  if (!container.state.is_running()) return fail(fmt::format("{} does not run", container.record.name));
  Words words = engine.run_runtime({"ps", container.id()});
  for (std::size_t i = 1; i < context.invocation.positionals.size(); ++i) words.push_back(context.argument(i));
  const std::string table = TRY(call_program(words));
  if (!json) return print(table);
  return print(spec::Writer("  ").document(parse_processes(container.record.name, table)) + "\n");
}

// podman's members.
struct PublishedPort {
  std::string host_ip;
  std::uint16_t container_port = 0, host_port = 0;
  std::string protocol;
};

void fields(spec::Writer &v, const PublishedPort &port) {
  v.always("host_ip", port.host_ip);
  v.always("container_port", port.container_port);
  v.always("host_port", port.host_port);
  v.always("protocol", port.protocol);
}

std::string text_of(const PublishedPort &port, bool with_inside) {
  const bool v6 = port.host_ip.contains(':');
  std::string outside = v6 ? fmt::format("[{}]:{}\n", port.host_ip, port.host_port)
                           : fmt::format("{}:{}\n", port.host_ip, port.host_port);
  if (!with_inside) return outside;
  return fmt::format("{}/{} -> {}", port.container_port, port.protocol, outside);
}

Result<int> port(const Context &context) {
  const Engine engine = TRY(open_engine(context.global(), context.log));
  const Container container =
      TRY(find_named(context, engine, context.argument(0), context.flags().uint32("index").value_or(0)));
  std::string wanted = context.argument(1);
  if (context.flags().given("protocol") && !wanted.contains('/')) wanted += "/" + context.flag("protocol");
  std::vector<PublishedPort> found;
  for (const Port &one : container.record.ports) {
    const std::string inside = fmt::format("{}/{}", one.container, one.protocol);
    const bool meant = wanted == inside || wanted + "/tcp" == inside;
    if (!one.host || (!wanted.empty() && !meant)) continue;
    found.push_back({.host_ip = one.host_address.empty() ? "0.0.0.0" : one.host_address,
                     .container_port = one.container,
                     .host_port = *one.host,
                     .protocol = one.protocol});
  }
  if (found.empty() && !wanted.empty()) {
    return fail(fmt::format("{} publishes no port {}", container.record.name, wanted),
                "`port CONTAINER` lists all of them");
  }
  if (context.flag("format") == "json") return print(spec::Writer("  ").document(found) + "\n");
  std::string text;
  for (const PublishedPort &one : found) text += text_of(one, wanted.empty());
  return print(text);
}

}  // namespace

const CommandEntry top_command = {.command = {.name = "top",
                                              .usage = "[CONTAINER [PS OPTIONS...] | SERVICE...]",
                                              .summary = "the processes of a container, or of a project's",
                                              .flags = top_flags,
                                              .max_positionals = cli::kUnlimited,
                                              .stop_at_first_positional = true},
                                  .run = top,
                                  .dry_run = DryRun::reads};

const CommandEntry port_command = {.command = {.name = "port",
                                               .usage = "CONTAINER|SERVICE [PORT[/PROTOCOL]]",
                                               .summary = "where a container's ports are published",
                                               .flags = port_flags,
                                               .min_positionals = 1,
                                               .max_positionals = 2},
                                   .run = port,
                                   .dry_run = DryRun::reads};

}  // namespace skiff::compose
