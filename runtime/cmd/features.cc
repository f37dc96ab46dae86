#include "runtime/features.h"

#include "runtime/cmd/command.h"
#include "runtime/output.h"

namespace skiff {
namespace {

Result<int> run(const Context & /*context*/) { return print(spec::print_features(make_features())); }

}  // namespace

const CommandEntry features_command = {
    .command = {.name = "features", .summary = "print what this runtime supports as JSON"}, .run = run};

}  // namespace skiff
