// What goes over RUN/ID/attach between a container's monitor and who is attached to it: a socket of packets, the first
// byte of each says what the rest is.
#pragma once

#include <cstddef>

namespace skiff::compose::wire {

inline constexpr const char *socket_name = "attach";
inline constexpr std::size_t longest_packet = 16384 + 1;

// To the monitor.
inline constexpr char input = 'i';      // bytes for the program's standard input
inline constexpr char input_end = 'c';  // there will be none any more
inline constexpr char size = 'w';       // "ROWS COLUMNS" of the terminal
inline constexpr char quiet = 'q';      // send no output, the exit code alone

// From the monitor.
inline constexpr char out = 'o';
inline constexpr char err = 'e';
inline constexpr char exit = 'x';  // "CODE", the last packet: the run is over and settled

}  // namespace skiff::compose::wire

// Between the command that starts a container and its monitor, over the monitor's standard input.
namespace skiff::compose::start_wire {

inline constexpr char created = 'c';  // "PID OWN": the container is there, its program waits
inline constexpr char go = 'g';       // from the command: let it run
inline constexpr char started = 's';
inline constexpr char failed = 'f';  // what the runtime said
inline constexpr std::size_t longest_packet = 65536;

}  // namespace skiff::compose::start_wire
