#include "conformance/observer.h"

// g++ 12 has no #embed.
asm(".section .rodata\n"
    ".global skiff_observer_begin\n"
    ".global skiff_observer_end\n"
    "skiff_observer_begin:\n"
    ".incbin \"" SKIFF_OBSERVER
    "\"\n"
    "skiff_observer_end:\n"
    ".previous\n");

extern "C" const char skiff_observer_begin[], skiff_observer_end[];

namespace skiff::conformance {

std::string_view observer() { return {skiff_observer_begin, skiff_observer_end}; }

}  // namespace skiff::conformance
