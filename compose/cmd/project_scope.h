// Whether a command is about a project or about containers. Docker has one verb for both in two programs; here the rule
// is: with -f, -p or their variables, or with a project's file in this folder or above it, a command is about that
// project and names are its services; a name that no service has is a container's. Without, and with --no-project, it
// is about containers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compose/cmd/command.h"
#include "compose/container.h"
#include "compose/engine.h"
#include "compose/load.h"
#include "compose/progress.h"

namespace skiff::compose {

struct Scope {
  std::string name;              // the project's
  std::optional<Loaded> loaded;  // absent with a name and no file

  [[nodiscard]] const Project *project() const { return loaded ? &loaded->project : nullptr; }
};

// What makes containers needs the values of the secrets that a .ctst file names; the rest does without.
enum class SecretValues : std::uint8_t { left_alone, needed };

// Nothing: the command is about containers. `targets` are services whose profiles count as active.
[[nodiscard]] Result<std::optional<Scope>> find_scope(const Context &context, std::vector<std::string> targets = {},
                                                      SecretValues secrets = SecretValues::left_alone);
// The same where there has to be one; ENOENT.
[[nodiscard]] Result<Scope> need_scope(const Context &context, std::vector<std::string> targets = {},
                                       SecretValues secrets = SecretValues::left_alone);
// And where its file has to be there.
[[nodiscard]] Result<Project> need_project(const Context &context, std::vector<std::string> targets = {},
                                           SecretValues secrets = SecretValues::left_alone);

// For commands that take names: nothing where all of them are containers and none a service.
[[nodiscard]] Result<std::optional<Scope>> find_scope_of_names(const Context &context, const Engine &engine,
                                                               const std::vector<std::string> &names);
// The containers of the named services, of all without a name.
[[nodiscard]] Result<std::vector<Container>> containers_in(const Places &places, const Scope &scope,
                                                           const std::vector<std::string> &names);
// A service's container by its number; 0: the first that runs, else the first.
[[nodiscard]] Result<Container> find_of_service(const Places &places, const Scope &scope, const std::string &name,
                                                std::uint32_t number);
// The same where there is such a service, else a container by its name.
[[nodiscard]] Result<Container> find_named(const Context &context, const Engine &engine, const std::string &name,
                                           std::uint32_t number = 0);

// The positionals, all or from one on.
[[nodiscard]] std::vector<std::string> names_of(const Context &context, std::size_t first = 0);
// A command that needs a container's name where there is no project.
[[nodiscard]] Status need_name(const Context &context);

// What the command would do to them, a line each, for --dry-run. In the form that `plan` has.
[[nodiscard]] bool is_dry_run(const Context &context);
[[nodiscard]] Result<int> print_dry_run(const Context &context, const std::vector<Container> &containers);

// By --ansi, the terminal that stdout is, and NO_COLOR (https://no-color.org).
[[nodiscard]] bool wants_colour(const Context &context);
// Whether what is printed may be drawn over.
[[nodiscard]] bool may_draw_over(const Context &context);
[[nodiscard]] Progress make_progress(const Context &context);
[[nodiscard]] std::size_t parallel_of(const Context &context);

}  // namespace skiff::compose
