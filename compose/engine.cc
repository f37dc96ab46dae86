#include "compose/engine.h"

#include "compose/granted_ids.h"
#include "compose/supervisor.h"
#include "compose/user_network.h"
#include "runtime/kernel/path.h"

namespace skiff::compose {
namespace {

Words joined(const Words &front, std::initializer_list<std::string> words) {
  Words all = front;
  all.insert(all.end(), words);
  return all;
}

}  // namespace

Words Engine::run_runtime(std::initializer_list<std::string> words) const { return joined(runtime, words); }
Words Engine::run_image(std::initializer_list<std::string> words) const { return joined(image, words); }
Words Engine::run_self(std::initializer_list<std::string> words) const { return joined(self, words); }

Result<Engine> open_engine(const cli::Flags &global, const cli::Log &log, Supervisors supervisors) {
  Engine engine;
  engine.log = log;
  engine.places = TRY(find_places(global));
  TRY(make_places(engine.places));
  engine.self = {TRY(kernel::readlinkat(kernel::cwd, "/proc/self/exe"))};
  engine.image = {TRY(find_program("skiff-image"))};
  if (global.given("state")) engine.self.insert(engine.self.end(), {"--state", engine.places.data});
  if (global.given("store")) {
    const std::string store(global.string("store"));
    engine.self.insert(engine.self.end(), {"--store", store});
    engine.image.insert(engine.image.end(), {"--store", store});
  } else if (is_rootless()) {
    engine.image.insert(engine.image.end(), {"--store", TRY(find_user_store())});
  }
  if (global.boolean("offline")) engine.image.emplace_back("--offline");
  engine.runtime = {TRY(find_program("skiff")), "--root", engine.places.runtime_root()};
  if (supervisors == Supervisors::revive) {
    const Status revived = revive_supervisors(engine);
    // No reason to refuse the command.
    if (!revived) cli::warning(log, revived.error().message());
  }
  return engine;
}

}  // namespace skiff::compose
