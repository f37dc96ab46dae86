#include "conformance/clauses/clauses.h"

namespace skiff::conformance {
namespace {

constexpr auto state = "runtime.md, State";
constexpr auto lifecycle = "runtime.md, Lifecycle";
constexpr auto operations = "runtime.md, Operations";
constexpr auto query = "runtime.md, Query State";
constexpr auto create = "runtime.md, Create";
constexpr auto start = "runtime.md, Start";
constexpr auto kill = "runtime.md, Kill";
constexpr auto remove = "runtime.md, Delete";

constexpr Clause table[] = {
    {"runtime.scope.operations", "runtime.md, Scope of a Container",
     "whoever creates a container can use every operation on it"},
    {"runtime.state.ociVersion", state, "the state names the version of the specification it follows"},
    {"runtime.state.id", state, "the state has the container's id"},
    {"runtime.state.id.unique", state, "no two containers of a host share an id"},
    {"runtime.state.status", state, "the state has a status: creating, created, running or stopped, each as defined"},
    {"runtime.state.status.own", state, "a status of the runtime's own stands only for a state that has no name yet",
     "nothing in a state document tells a renamed state from a new one"},
    {"runtime.state.pid", state, "while created or running the state has the pid of the container's process"},
    {"runtime.state.bundle", state, "the state has the absolute path of the bundle"},
    {"runtime.state.schema", state, "the state as JSON fits the published schema"},
    {"runtime.lifecycle.environment", lifecycle, "create makes the environment that config.json describes"},
    {"runtime.lifecycle.environment.error", lifecycle, "an environment that cannot be made is an error"},
    {"runtime.lifecycle.resources", lifecycle, "what config.json asks for exists once create is done"},
    {"runtime.lifecycle.program-waits", lifecycle, "create does not run the user's program"},
    {"runtime.lifecycle.updates", lifecycle, "config.json edited after create does not change the container"},
    {"runtime.lifecycle.prestart", lifecycle, "prestart hooks run"},
    {"runtime.lifecycle.prestart.failure", lifecycle, "a failed prestart hook is an error and ends the container"},
    {"runtime.lifecycle.createRuntime", lifecycle, "createRuntime hooks run"},
    {"runtime.lifecycle.createRuntime.failure", lifecycle,
     "a failed createRuntime hook is an error and ends the container"},
    {"runtime.lifecycle.createContainer", lifecycle, "createContainer hooks run"},
    {"runtime.lifecycle.createContainer.failure", lifecycle,
     "a failed createContainer hook is an error and ends the container"},
    {"runtime.lifecycle.startContainer", lifecycle, "startContainer hooks run"},
    {"runtime.lifecycle.startContainer.failure", lifecycle,
     "a failed startContainer hook is an error and ends the container"},
    {"runtime.lifecycle.program", lifecycle, "start runs the user's program"},
    {"runtime.lifecycle.poststart", lifecycle, "poststart hooks run"},
    {"runtime.lifecycle.poststart.failure", lifecycle, "a failed poststart hook is an error and ends the container"},
    {"runtime.lifecycle.destroy", lifecycle, "delete undoes what create did"},
    {"runtime.lifecycle.poststop", lifecycle, "poststop hooks run"},
    {"runtime.lifecycle.poststop.failure", lifecycle, "after a failed poststop hook the rest goes on, with a warning"},
    {"runtime.errors.unchanged", "runtime.md, Errors", "an operation that fails leaves everything as it was"},
    {"runtime.warnings.continue", "runtime.md, Warnings", "a warning does not change what an operation does"},
    {"runtime.operations.supported", operations, "state, create, start, kill and delete exist"},
    {"runtime.state.needs-id", query, "state without an id is an error"},
    {"runtime.state.missing", query, "state of a container that does not exist is an error"},
    {"runtime.state.returned", query, "state returns the document described under State"},
    {"runtime.create.needs-both", create, "create without a bundle or without an id is an error"},
    {"runtime.create.id.unique", create, "create with an id in use is an error and makes no container"},
    {"runtime.create.id.valid", create, "create with an id that is not valid is an error and makes no container"},
    {"runtime.create.creates", create, "create makes a new container"},
    {"runtime.create.properties", create, "create applies every property but process"},
    {"runtime.create.args", create, "process.args is not applied before start"},
    {"runtime.create.error", create, "a property that cannot be applied is an error and no container is made"},
    {"runtime.start.needs-id", start, "start without an id is an error"},
    {"runtime.start.created-only", start, "start of what is not created is an error and changes nothing"},
    {"runtime.start.runs", start, "start runs the program that process describes"},
    {"runtime.start.process", start, "start without process in config.json is an error"},
    {"runtime.kill.needs-id", kill, "kill without an id is an error"},
    {"runtime.kill.living-only", kill, "kill of what is neither created nor running is an error and changes nothing"},
    {"runtime.kill.sends", kill, "kill sends the signal to the container's process"},
    {"runtime.delete.needs-id", remove, "delete without an id is an error"},
    {"runtime.delete.stopped-only", remove, "delete of what is not stopped is an error and changes nothing"},
    {"runtime.delete.resources", remove, "delete removes what create made"},
    {"runtime.delete.foreign", remove, "delete leaves what create did not make"},
    {"runtime.linux.dev-links", "runtime-linux.md, Dev symbolic links",
     "/dev/fd, stdin, stdout and stderr are links into /proc/self/fd where that exists"},
};

constexpr Clause bundle_table[] = {
    {"bundle.config.required", "bundle.md, Container Format", "a bundle without config.json is refused"},
    {"bundle.config.place", "bundle.md, Container Format", "config.json is read from the bundle's own directory"},
    {"bundle.config.name", "bundle.md, Container Format", "the file is named config.json and no other"},
    {"bundle.artifacts", "bundle.md, Container Format", "what a bundle brings lies in one local directory",
     "binds who packs a bundle; root.path may be absolute (config.md, Root), so a runtime has nothing to refuse"},
};

}  // namespace

std::span<const Clause> runtime_clauses() { return table; }
std::span<const Clause> bundle_clauses() { return bundle_table; }

}  // namespace skiff::conformance
