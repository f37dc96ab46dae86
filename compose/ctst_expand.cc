#include "compose/ctst_expand.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "compose/secrets.h"
#include "runtime/cli/nearest.h"

namespace skiff::compose::ctst {
namespace {

std::string did_you_mean(const cli::Nearest &nearest) {
  return nearest.found().empty() ? std::string() : fmt::format("did you mean {}?", nearest.found());
}

}  // namespace

std::string Endpoint::connection_string() const {
  return port ? fmt::format("{}://{}:{}", scheme, host, *port) : std::string();
}

std::optional<Expanded> Expander::expand(const Text &text, Allowed allowed) {
  std::vector<Piece> pieces;
  if (!append(text, allowed, pieces)) return std::nullopt;
  Expanded out;
  for (const Piece &piece : pieces) out.has_secret |= std::holds_alternative<Reference>(piece);
  for (const Piece &piece : pieces) {
    if (const auto *secret = std::get_if<Reference>(&piece)) {
      out.text += fmt::format("${{secret.{}}}", secret->name);
    } else {
      const auto &letters = std::get<std::string>(piece);
      out.text += out.has_secret ? escape_dollars(letters) : letters;
    }
  }
  return out;
}

std::optional<std::string> Expander::plain(const Text &text, bool components) {
  std::optional<Expanded> out = expand(text, {.components = components, .secrets = false});
  if (!out) return std::nullopt;
  return std::move(out->text);
}

// What is left are letters, one piece at a time, and secrets.
bool Expander::append(const Text &text, Allowed allowed, std::vector<Piece> &out) {
  bool good = true;
  for (const Piece &piece : text.pieces) {
    if (const auto *reference = std::get_if<Reference>(&piece)) {
      good = append_reference(*reference, allowed, out) && good;
    } else {
      out.push_back(piece);
    }
  }
  return good;
}

bool Expander::append_reference(const Reference &reference, Allowed allowed, std::vector<Piece> &out) {
  if (reference.kind == Reference::Kind::parameter) return append_parameter(reference, allowed, out);
  if (reference.kind == Reference::Kind::secret) {
    if (!allowed.secrets) {
      findings_.error(reference.at, "secret-place", fmt::format("a secret has no place here: {}", flat_.name.text),
                      "it may stand in env, command and entrypoint");
      return false;
    }
    uses_.secrets.try_emplace(reference.name, reference.at);
    out.emplace_back(reference);
    return true;
  }
  const std::optional<std::string> value =
      reference.kind == Reference::Kind::environment ? variable(reference) : component(reference, allowed);
  if (!value) return false;
  Text letters;
  letters.pieces.emplace_back(*value);
  return append(letters, allowed, out);
}

bool Expander::append_parameter(const Reference &reference, Allowed allowed, std::vector<Piece> &out) {
  const auto found = flat_.parameters.find(reference.name);
  if (found == flat_.parameters.end()) {
    cli::Nearest nearest(reference.name);
    for (const auto &[name, parameter] : flat_.parameters) nearest.offer(name);
    findings_.error(reference.at, "missing-parameter",
                    fmt::format("{} has no param {}", flat_.name.text, reference.name), did_you_mean(nearest));
    return false;
  }
  if (!found->second.initial) {
    findings_.error(reference.at, "missing-parameter",
                    fmt::format("param {} of {} has no value", reference.name, flat_.name.text),
                    fmt::format("add param {} = \"...\" to {}", reference.name, flat_.name.text));
    return false;
  }
  if (std::ranges::find(open_, reference.name) != open_.end()) {
    findings_.error(
        reference.at, "parameter-cycle",
        fmt::format("param {} is made of itself: {} -> {}", reference.name, fmt::join(open_, " -> "), reference.name));
    return false;
  }
  open_.push_back(reference.name);
  const bool good = append(*found->second.initial, allowed, out);
  open_.pop_back();
  return good;
}

std::optional<std::string> Expander::variable(const Reference &reference) {
  const auto found = environment_.find(reference.name);
  const bool empty = found == environment_.end() || found->second.empty();
  if (empty && reference.fallback) return reference.fallback;
  if (found != environment_.end()) return found->second;
  findings_.error(reference.at, "missing-variable", fmt::format("${} is not set", reference.name),
                  fmt::format("set it, or write ${{env.{}:-default}}", reference.name));
  return std::nullopt;
}

std::optional<std::string> Expander::component(const Reference &reference, Allowed allowed) {
  if (endpoints_ == nullptr || !allowed.components) {
    findings_.error(reference.at, "component-place",
                    fmt::format("${{{}...}}: this is known before any component is", reference.name),
                    "a component may be named in env, command, entrypoint and the like");
    return std::nullopt;
  }
  const auto found = endpoints_->find(reference.name);
  if (found == endpoints_->end()) {
    cli::Nearest nearest(reference.name);
    for (const Name &one : components_) nearest.offer(one.text);
    findings_.error(reference.at, "unknown-component", fmt::format("there is no component {}", reference.name),
                    did_you_mean(nearest));
    return std::nullopt;
  }
  uses_.components.push_back({flat_.name.text, reference.name, reference.at});
  return endpoint_text(reference, found->second);
}

std::optional<std::string> Expander::endpoint_text(const Reference &reference, const Endpoint &endpoint) {
  if (reference.attribute == Reference::Attribute::host) return endpoint.host;
  if (!endpoint.port) {
    findings_.error(reference.at, "no-port", fmt::format("{} has no port", reference.name),
                    fmt::format("add port = NUMBER to {}", reference.name));
    return std::nullopt;
  }
  if (reference.attribute == Reference::Attribute::port) return fmt::format("{}", *endpoint.port);
  return endpoint.connection_string();
}

}  // namespace skiff::compose::ctst
