// The program whose tables the tests read: small, with one of each kind.
#pragma once

#include <initializer_list>
#include <vector>

#include "runtime/cli/flags.h"

namespace skiff::cli {

inline constexpr FlagSpec kBoatFlags[] = {
    {.name = "debug", .kind = Kind::Bool, .text = "log every step"},
    {.name = "log", .value = "FILE", .text = "append the log to FILE"},
    {.name = "log-format", .text = "form of the log", .choices = "text|json", .initial = "text"},
    {.name = "root", .value = "DIR", .text = "where the state is kept", .initial = "/run/boat"},
    {.name = "rootless", .text = "accepted for callers of runc", .choices = "auto|true|false", .hidden = true},
};

inline constexpr FlagSpec kCreateFlags[] = {
    {.name = "bundle", .letter = 'b', .value = "DIR", .text = "directory of the bundle: 'rootfs' and [config.json]"},
    {.name = "detach", .letter = 'd', .kind = Kind::Bool, .text = "do not wait"},
    {.name = "no-subreaper", .kind = Kind::Bool, .text = "accepted", .hidden = true},
    {.name = "preserve-fds", .kind = Kind::Uint32, .text = "descriptors to pass on", .initial = "0"},
    {.name = "lsm-mount-context", .text = "context of mounts"},
    {.name = "pull", .letter = 'p', .value = "WHEN", .text = "ask", .initial = "missing", .alone = "always"},
};

inline constexpr FlagSpec kExecFlags[] = {
    {.name = "env", .letter = 'e', .kind = Kind::Strings, .value = "NAME=VALUE", .text = "environment"},
    {.name = "tty", .letter = 't', .kind = Kind::Bool, .text = "with a terminal"},
    {.name = "detach", .letter = 'd', .kind = Kind::Bool, .text = "do not wait"},
    {.name = "user", .letter = 'u', .value = "UID[:GID]", .text = "user"},
    {.name = "additional-gids", .letter = 'g', .kind = Kind::Integers, .text = "more groups"},
};

inline constexpr FlagSpec kUpdateFlags[] = {
    {.name = "memory", .kind = Kind::Size, .text = "limit of memory"},
    {.name = "cpu-quota", .kind = Kind::Integer, .text = "microseconds a period"},
    {.name = "cpu-period", .kind = Kind::Unsigned, .text = "microseconds"},
    {.name = "interval", .kind = Kind::Duration, .text = "time between lines", .initial = "5s"},
};

inline constexpr Command kCreate{.name = "create",
                                 .usage = "CONTAINER",
                                 .summary = "create a container",
                                 .description = "The process waits.\n\nIt starts at `boat start`.",
                                 .flags = kCreateFlags,
                                 .min_positionals = 1,
                                 .max_positionals = 1};
inline constexpr Command kExec{.name = "exec",
                               .usage = "CONTAINER COMMAND [ARGUMENT...]",
                               .summary = "run another process in a container",
                               .flags = kExecFlags,
                               .min_positionals = 1,
                               .max_positionals = kUnlimited,
                               .stop_at_first_positional = true};
inline constexpr Command kKill{.name = "kill",
                               .usage = "CONTAINER [SIGNAL]",
                               .summary = "send a signal",
                               .min_positionals = 1,
                               .max_positionals = 2,
                               .stop_at_first_positional = true};
inline constexpr Command kUpdate{.name = "update",
                                 .usage = "CONTAINER",
                                 .summary = "change limits",
                                 .flags = kUpdateFlags,
                                 .min_positionals = 1,
                                 .max_positionals = 1};
inline constexpr Command kFeatures{.name = "features", .summary = "show what is supported"};
inline constexpr Command kPaint{.name = "paint",
                                .usage = "red|white SIDE",
                                .summary = "paint the hull",
                                .min_positionals = 2,
                                .max_positionals = 2};
inline constexpr Command kSail{.name = "sail",
                               .usage = "CREW",
                               .summary = "go",
                               .flags = kExecFlags,
                               .min_positionals = 1,
                               .max_positionals = 1,
                               .joined_values = true,
                               .hidden = true};
inline constexpr Command kManual{.name = "man", .summary = "print the page", .hidden = true};

inline constexpr const Command *kBoatCommands[] = {&kCreate,   &kExec,  &kKill, &kUpdate,
                                                   &kFeatures, &kPaint, &kSail, &kManual};
inline constexpr Program kBoat{.name = "boat",
                               .version = "1.2.3",
                               .summary = "a program for tests",
                               .description = "It floats.",
                               .flags = kBoatFlags,
                               .commands = kBoatCommands};

inline Result<Invocation> parse_boat(std::initializer_list<const char *> arguments) {
  return parse(kBoat, std::vector<const char *>(arguments));
}

}  // namespace skiff::cli
