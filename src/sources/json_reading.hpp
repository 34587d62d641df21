// SPDX-License-Identifier: GPL-2.0-only
// JSON of strangers: what is not there, or is something else, is empty.
#pragma once

#include "support/result.hpp"

#include <nlohmann/json.hpp>

namespace ukl {

/// Error: unreadable (it is no JSON object or list). `name` is for messages.
inline Result<nlohmann::json> parse_json(const std::string& text, const std::string& name) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_structured())
    return Error{Failure::unreadable, name + " is no JSON", "it may be damaged: fetch it again"};
  return json;
}

/// A member of an object; null if there is none.
inline const nlohmann::json& member(const nlohmann::json& json, const char* name) {
  static const nlohmann::json none;
  if (!json.is_object())
    return none;
  const auto found = json.find(name);
  return found == json.end() ? none : *found;
}

inline std::string text_member(const nlohmann::json& json, const char* name) {
  const auto& value = member(json, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

inline std::vector<std::string> texts_member(const nlohmann::json& json, const char* name) {
  std::vector<std::string> texts;
  const auto& list = member(json, name);
  if (list.is_array())
    for (const auto& one : list)
      if (one.is_string())
        texts.push_back(one.get<std::string>());
  return texts;
}

/// The names that an object has, as `{"80/tcp": {}}` lists them.
inline std::vector<std::string> names_member(const nlohmann::json& json, const char* name) {
  std::vector<std::string> names;
  const auto& object = member(json, name);
  if (object.is_object())
    for (const auto& [key, value] : object.items())
      names.push_back(key);
  return names;
}

} // namespace ukl
