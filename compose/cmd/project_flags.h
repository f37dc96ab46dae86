// The flags that say which project is meant, and the way from them to it. They stand before the command or after it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "compose/cmd/command.h"
#include "compose/load.h"

namespace skiff::compose {

inline constexpr auto project_flags = std::to_array<cli::FlagSpec>({
    {.name = "file",
     .letter = 'f',
     .kind = cli::Kind::Strings,
     .value = "FILE",
     .text = "a compose.yaml or a .ctst file; several compose files are merged; also $COMPOSE_FILE"},
    {.name = "project-name", .letter = 'p', .value = "NAME", .text = "the project's name; also $COMPOSE_PROJECT_NAME"},
    {.name = "profile",
     .kind = cli::Kind::Strings,
     .value = "NAME",
     .text = "make this profile active, or \"*\" for all; also $COMPOSE_PROFILES"},
    {.name = "env-file",
     .kind = cli::Kind::Strings,
     .value = "FILE",
     .text = "variables for the file, in place of .env; also $COMPOSE_ENV_FILES"},
    {.name = "project-directory",
     .value = "DIR",
     .text = "what paths are relative to, in place of the first file's folder"},
    {.name = "import-path", .kind = cli::Kind::Strings, .value = "DIR", .text = "look here too for what .ctst imports"},
    {.name = "offline", .kind = cli::Kind::Bool, .text = "ask no registry and no other host for anything"},
    {.name = "no-project",
     .kind = cli::Kind::Bool,
     .text = "be about containers, in the folder of a project's file as well"},
    {.name = "dry-run", .kind = cli::Kind::Bool, .text = "print what would change, and change nothing"},
    {.name = "parallel",
     .kind = cli::Kind::Integer,
     .value = "N",
     .text = "containers that are worked on at the same time; -1: all"},
    {.name = "progress",
     .value = "STYLE",
     .text = "how it shows on stderr",
     .choices = "auto|tty|plain|json|quiet",
     .initial = "auto"},
    {.name = "ansi",
     .value = "WHEN",
     .text = "colours and lines that are drawn over; auto: on a terminal, colours unless NO_COLOR is set",
     .choices = "never|always|auto",
     .initial = "auto"},
});

// What the flags ask for. `targets`: the services that the command names.
[[nodiscard]] Result<LoadRequest> make_load_request(const Context &context, std::vector<std::string> targets = {});

// Warnings go to the log; findings that are errors become one Error, with which main ends with 2.
[[nodiscard]] Result<Loaded> load_project_for(const Context &context, const LoadRequest &request);
[[nodiscard]] Result<Loaded> load_project_for(const Context &context, std::vector<std::string> targets = {});

}  // namespace skiff::compose
