#include "conformance/clauses/clauses.h"

namespace skiff::conformance {
namespace {

template <class Visit>
void each_table(Visit visit) {
  for (const auto table : {runtime_clauses(), bundle_clauses(), config_clauses(), mount_clauses(), hook_clauses(),
                           linux_clauses(), resource_clauses(), seccomp_clauses()}) {
    visit(table);
  }
}

}  // namespace

std::vector<Clause> all_clauses() {
  std::vector<Clause> all;
  each_table([&](std::span<const Clause> table) { all.insert(all.end(), table.begin(), table.end()); });
  return all;
}

const Clause *find_clause(std::string_view id) {
  const Clause *found = nullptr;
  each_table([&](std::span<const Clause> table) {
    for (const Clause &clause : table) {
      if (clause.id == id) found = &clause;
    }
  });
  return found;
}

}  // namespace skiff::conformance
