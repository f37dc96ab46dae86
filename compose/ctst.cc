#include "compose/ctst.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "compose/ctst_check.h"
#include "compose/ctst_secrets.h"
#include "compose/ctst_service.h"

namespace skiff::compose {
namespace {

using namespace ctst;

// Told in the order of the files; what several components get from one template is told once.
void hand_over(const Library &library, const Findings &found, Findings &findings) {
  const auto place = [&](const Finding &one) {
    const auto document = std::ranges::find_if(
        library.documents, [&](const Document &candidate) { return candidate.source.get() == one.at.source; });
    return std::tuple(document - library.documents.begin(), one.at.line, one.at.column);
  };
  std::vector<Finding> all = found.all();
  std::ranges::stable_sort(all, {}, place);
  std::set<std::tuple<const Source *, std::uint32_t, std::uint32_t, std::string_view, std::string_view>> told;
  for (const Finding &one : all) {
    if (!told.emplace(one.at.source, one.at.line, one.at.column, one.code, one.text).second) continue;
    if (one.level == Finding::Level::error) findings.error(one.at, one.code, one.text, one.remedy);
    if (one.level == Finding::Level::warning) findings.warn(one.at, one.code, one.text, one.remedy);
    if (one.level == Finding::Level::note) findings.note(one.at, one.code, one.text);
  }
}

class ModelWriter {
 public:
  ModelWriter(const CtstRequest &request, Library &library, Findings &findings)
      : request_(request), library_(library), findings_(findings), flats_(flatten_components(library, findings)) {
    for (const Flat &flat : flats_) names_.push_back(flat.name);
  }

  Value write() {
    for (const Flat &flat : flats_) {
      Expander expander(flat, request_.environment, nullptr, names_, uses_, findings_);
      Typed typed(flat, expander, findings_);
      facts_.emplace(flat.name.text, read_facts(flat, typed, library_));
      endpoints_.emplace(flat.name.text, facts_.at(flat.name.text).endpoint);
    }
    const Wiring wiring = make_wiring(library_, flats_, facts_, findings_);
    Value services = Value::of_map();
    for (const Flat &flat : flats_) {
      services.members.push_back({.key = flat.name.text, .at = flat.name.at, .value = service(flat, wiring)});
    }
    // What an error has left out would be told as missing.
    if (!findings_.has_errors()) warn_of_wiring(library_, flats_, wiring, uses_, findings_);
    Value model = Value::of_map();
    model.get("services") = std::move(services);
    add_networks(model);
    add_secrets(model);
    return model;
  }

 private:
  Value service(const Flat &flat, const Wiring &wiring) {
    Uses uses;
    Expander expander(flat, request_.environment, &endpoints_, names_, uses, findings_);
    Typed typed(flat, expander, findings_);
    Value value = make_service({flat, facts_, wiring, library_, uses.secrets}, typed, findings_);
    uses_.secrets.merge(uses.secrets);
    uses_.components.insert(uses_.components.end(), uses.components.begin(), uses.components.end());
    return value;
  }

  void add_networks(Value &model) {
    for (const Flat &flat : flats_) {
      const Facts &facts = facts_.at(flat.name.text);
      if (facts.network == "bridge" || facts.network == "host" || facts.network == "none") continue;
      model.get("networks").get(facts.network).at = facts.network_at;
    }
  }

  // The place of each, never its value.
  void add_secrets(Value &model) {
    for (const auto &[name, at] : uses_.secrets) {
      const Result<SecretSource> found = find_secret(name, request_);
      const SecretSource source = found.value_or(default_secret(name));
      if (!found && request_.need_secrets) {
        findings_.error(at, found.error().number == EACCES ? "secret-mode" : "missing-secret",
                        fmt::format("secret {}: {}", name, found.error().text), found.error().remedy);
        continue;
      }
      Value secret = Value::of_map(at);
      const bool file = source.environment.empty();
      secret.get(file ? "file" : "environment") = Value::of_string(file ? source.file : source.environment, at);
      model.get("secrets").get(name) = std::move(secret);
    }
  }

  const CtstRequest &request_;
  Library &library_;
  Findings &findings_;
  std::vector<Flat> flats_;
  std::vector<Name> names_;
  Uses uses_;
  AllFacts facts_;
  Endpoints endpoints_;
};

std::string find_variable(const std::map<std::string, std::string> &environment, const char *name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

}  // namespace

CtstModel load_ctst(const CtstRequest &request, Findings &findings) {
  Findings found;
  Library library = load_library(request, found);
  check_properties(library, found);
  CtstModel out;
  out.model = ModelWriter(request, library, found).write();
  for (const Document &document : library.documents) out.sources.push_back(document.source);
  hand_over(library, found, findings);
  return out;
}

std::string ctst_cache_directory(const std::map<std::string, std::string> &environment) {
  const std::string cache = find_variable(environment, "XDG_CACHE_HOME");
  if (cache.starts_with('/')) return cache + "/skiff/ctst";  // the specification has relative ones ignored
  return find_variable(environment, "HOME") + "/.cache/skiff/ctst";
}

std::string ctst_secrets_directory(const std::map<std::string, std::string> &environment, bool root) {
  if (std::string given = find_variable(environment, "SKIFF_SECRETS"); !given.empty()) return given;
  if (root) return "/run/skiff/secrets";
  return find_variable(environment, "XDG_RUNTIME_DIR") + "/skiff/secrets";
}

}  // namespace skiff::compose
