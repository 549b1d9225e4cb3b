#include "receipt/recipient_settings.h"

#include <algorithm>
#include <array>

#include "lib/control.h"
#include "lib/parameters.h"

namespace postern {

namespace {

constexpr const char* kFile = "recipientchecks";

// on, off, or the program in either form.
std::string program(std::string_view text, std::string_view on, std::string& into) {
  if (text.starts_with('@') || text.starts_with('/')) {
    into = text;
    return text.size() > 1 ? "" : "it names no program";
  }
  bool is_on = false;
  if (const std::string wrong = switch_parameter(text, is_on); !wrong.empty())
    return wrong + ", or a program: @NAME or /PATH";
  into = is_on ? on : std::string_view();
  return {};
}

std::string profile(std::string_view text, std::string& into) {
  if (text == "off") {
    into.clear();
    return {};
  }
  return text.empty() ? "it is off, or a profile of control/callahead" : name_parameter(text, into);
}

std::string query(std::string_view text, std::string& into) {
  return text.empty() ? "it is a query of control/ldap" : name_parameter(text, into);
}

constexpr std::array<ParameterWord<OnTrouble>, 3> kTroubleWords = {
    {{"accept", OnTrouble::accept}, {"defer", OnTrouble::defer}, {"refuse", OnTrouble::refuse}}};

using Row = Parameter<RecipientSettings>;
constexpr std::array kParameters = {
    Row{"users", [](std::string_view v, RecipientSettings& s) { return program(v, "@userq", s.users); }},
    Row{"ldap", [](std::string_view v, RecipientSettings& s) { return program(v, kLdapProgram, s.ldap); }},
    Row{"ldap_query", [](std::string_view v, RecipientSettings& s) { return query(v, s.ldap_query); }},
    Row{"ldap_trouble",
        [](std::string_view v, RecipientSettings& s) {
          return choose_parameter(kTroubleWords, v, s.ldap_trouble.emplace());
        }},
    Row{"call_ahead", [](std::string_view v, RecipientSettings& s) { return profile(v, s.call_ahead); }},
};

std::string problem_of_listener(std::string_view name) {
  return name.find_first_of("=@/") == std::string_view::npos
             ? ""
             : "it begins with the name of a listener, or DEFAULT";
}

}  // namespace

Result<RecipientSettingsTable> RecipientSettingsTable::parse(std::string_view text,
                                                             std::string_view file_name) {
  RecipientSettingsTable table;
  auto listeners = parse_parameters(kParameters, text, file_name, table.otherwise_, problem_of_listener);
  if (!listeners) return listeners.failure();
  table.listeners_ = std::move(*listeners);
  return table;
}

Result<RecipientSettingsTable> RecipientSettingsTable::read() {
  Result<std::optional<std::string>> text = control_text(kFile);
  if (!text) return text.failure();
  if (!text->has_value()) return RecipientSettingsTable();
  return parse(**text, home_path(std::string("control/") + kFile));
}

const RecipientSettings& RecipientSettingsTable::of(std::string_view listener) const {
  const auto found = listeners_.find(lower(listener));
  return found == listeners_.end() ? otherwise_ : found->second;
}

std::vector<std::string> RecipientSettingsTable::named(std::string RecipientSettings::*what) const {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  add(otherwise_.*what);
  for (const auto& [listener, settings] : listeners_) add(settings.*what);
  return names;
}

bool RecipientSettingsTable::asks_active_query() const {
  const auto asks = [](const RecipientSettings& settings) {
    return settings.ldap == kLdapProgram && settings.ldap_query.empty();
  };
  return asks(otherwise_) || std::any_of(listeners_.begin(), listeners_.end(),
                                         [&](const auto& listener) { return asks(listener.second); });
}

}  // namespace postern
