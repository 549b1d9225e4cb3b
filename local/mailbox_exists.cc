#include "local/mailbox_exists.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "lib/local_part.h"
#include "lib/text.h"
#include "local/account.h"
#include "local/alias.h"
#include "local/assign.h"
#include "local/dot_qmail.h"
#include "local/dot_qmail_file.h"
#include "local/trace_fields.h"
#include "local/virtual_users.h"

namespace postern {

namespace {

MailboxExistence yes(std::string why) {
  return {Existence::yes, std::move(why)};
}
MailboxExistence no(std::string why) {
  return {Existence::no, std::move(why)};
}
MailboxExistence not_known(std::string why) {
  return {Existence::not_known, std::move(why)};
}

// In lspawn's order.
Result<std::optional<MailboxUser>> find_user(const MailboxPlaces& places, std::string_view local_part) {
  Result<std::optional<MailboxUser>> user = find_assigned_user(places.users_cdb, local_part);
  if (!user || user->has_value()) return user;
  if (places.accounts) {
    user = find_account(local_part);
    if (!user || user->has_value()) return user;
  }
  return find_alias(places.alias_home, local_part);
}

// A .qmail file that does nothing but ask postern-vdeliver: its table knows.
MailboxExistence by_virtual_users(const VirtualLookup& lookup, std::string_view domain) {
  const std::string table = lookup.table + ".cdb";
  Result<std::optional<VirtualUser>> user = find_virtual_user(table, lookup.user, domain, CdbOwner::anybody);
  if (!user) return not_known(user.failure().text);
  if (!user->has_value()) return no("it is not in " + table);
  if ((*user)->bounces) return no(table + " says bounce");
  return yes("it is in " + table);
}

MailboxExistence by_dot_qmail(const MailboxUser& user, std::string_view domain) {
  Result<DotQmailFile> file = find_dot_qmail(user.dash, user.ext);
  if (!file && file.failure().permanent()) return no("no .qmail file of " + user.user + " fits");
  if (!file) return not_known(file.failure().text);
  Result<DotQmail> parsed = parse_dot_qmail(file->text, file->name, file->forward_only);
  if (!parsed || parsed->instructions.size() != 1 || parsed->instructions[0].action != Action::program)
    return yes(file->name + " of " + user.user);
  const std::optional<VirtualLookup> lookup =
      virtual_lookup(parsed->instructions[0].text, file->matched.value_or(user.ext));
  if (!lookup) return yes(file->name + " of " + user.user);
  return by_virtual_users(*lookup, domain);
}

}  // namespace

std::optional<VirtualLookup> virtual_lookup(std::string_view command, std::string_view name) {
  static constexpr std::string_view kProgram = "postern-vdeliver";
  if (command.find_first_of("\"'\\`$&|;<>()*?[]~#=%!{}\n") != std::string_view::npos) return std::nullopt;
  const std::vector<std::string_view> all = words(command);
  size_t at = !all.empty() && all[0] == "exec" ? 1 : 0;
  if (at >= all.size() || all[at].substr(all[at].rfind('/') + 1) != kProgram) return std::nullopt;
  VirtualLookup lookup{.user = std::string(name), .table = "mailboxes"};
  for (++at; at + 1 < all.size() && all[at].starts_with("--"); at += 2) {
    if (all[at] == "--user") lookup.user = all[at + 1];
    if (all[at] != "--user" && all[at] != "--full") return std::nullopt;
  }
  if (at + 1 < all.size() || (at < all.size() && all[at].starts_with("--"))) return std::nullopt;
  if (at < all.size()) lookup.table = all[at];
  if (lookup.user.empty()) return std::nullopt;
  return lookup;
}

MailboxExistence mailbox_exists(const MailboxPlaces& places, std::string_view recipient) {
  const Rewritten to = places.rewriting.of(recipient);
  if (!to.local) return not_known("its domain is not delivered to on this host");
  const std::string local_part = unquote_local_part(local_part_of(to.address));
  Result<std::optional<MailboxUser>> found = find_user(places, local_part);
  if (!found) return not_known(found.failure().text);
  if (!found->has_value()) return no("no user fits");
  const MailboxUser& user = **found;
  if (user.dash.empty()) return yes("the mailbox of " + user.user);
  if (::chdir(user.home.c_str()) < 0)
    return not_known("unable to enter the home of " + user.user + ": " + ::strerror(errno));
  return by_dot_qmail(user, to.domain);
}

}  // namespace postern
