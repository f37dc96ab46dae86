#include "spec/config.h"
#include "spec/fields_config.h"
#include "spec/writer.h"

namespace skiff::spec {

std::string print_config(const Config &config, bool pretty) { return Writer(pretty ? "\t" : "").document(config); }

std::string print_process(const Process &process) { return Writer("").document(process); }

}  // namespace skiff::spec
