// What of a .ctst file is wrong or odd beyond the values of its properties (CTST.md, "Checks before anything starts").
#pragma once

#include <vector>

#include "compose/ctst_wiring.h"

namespace skiff::compose::ctst {

// Of every file, also of templates that nobody uses: unknown properties, two that exclude each other.
void check_properties(const Library &library, Findings &findings);

// Imports that no FROM uses, components that nothing reaches, references without a CONNECT.
void warn_of_wiring(Library &library, const std::vector<Flat> &flats, const Wiring &wiring, const Uses &uses,
                    Findings &findings);

}  // namespace skiff::compose::ctst
