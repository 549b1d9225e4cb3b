#include "inject/compose.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "lib/text.h"

namespace postern::inject {

namespace {

struct KnownField {
  std::string_view name;
  bool addresses = false;   // is completed
  bool recipients = false;  // names recipients
  bool kept = true;
  bool resent = false;
};

constexpr std::array kKnownFields = {
    KnownField{"From", true},
    KnownField{"Sender", true},
    KnownField{"Reply-To", true},
    KnownField{"To", true, true},
    KnownField{"Cc", true, true},
    KnownField{"Bcc", true, true, false},
    KnownField{"Apparently-To", true, true},
    KnownField{"Errors-To", true},
    KnownField{"Return-Receipt-To", true},
    KnownField{"Disposition-Notification-To", true},
    KnownField{"Mail-Followup-To", true},
    KnownField{"Mail-Reply-To", true},
    KnownField{"Date"},
    KnownField{"Message-ID"},
    KnownField{"Return-Path", true, false, false},
    KnownField{"Content-Length", false, false, false},
    KnownField{"Resent-From", true, false, true, true},
    KnownField{"Resent-Sender", true, false, true, true},
    KnownField{"Resent-Reply-To", true, false, true, true},
    KnownField{"Resent-To", true, true, true, true},
    KnownField{"Resent-Cc", true, true, true, true},
    KnownField{"Resent-Bcc", true, true, false, true},
    KnownField{"Resent-Date", false, false, true, true},
    KnownField{"Resent-Message-ID", false, false, true, true},
};
constexpr KnownField kUnknownField{""};

const KnownField& known(const Field& field) {
  for (const KnownField& row : kKnownFields) {
    if (field.named(row.name)) return row;
  }
  return kUnknownField;
}

bool plain_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ' ';
}

// RFC 2047, Q: each word at most 75 bytes, and no character of UTF-8 cut in two.
std::string encoded_words(std::string_view name) {
  constexpr size_t kLongestWord = 60;
  std::string words = "=?UTF-8?Q?";
  size_t begin = 0;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (words.size() - begin > kLongestWord && (byte & 0xc0) != 0x80) {
      words += "?=\n ";
      begin = words.size();
      words += "=?UTF-8?Q?";
    }
    if (c == ' ') {
      words += '_';
    } else if (plain_word_byte(c)) {
      words += c;
    } else {
      words.append("=").append(hexadecimal({&c, 1}, kCapitalHex));
    }
  }
  return words + "?=";
}

class Composer {
 public:
  Composer(const std::vector<Field>& fields, const Order& order, const Setup& setup)
      : fields_(fields), order_(order), setup_(setup) {
    resent_ = std::any_of(fields.begin(), fields.end(), [](const Field& f) { return known(f).resent; });
    from_arguments_ = order.recipients_from == RecipientsFrom::arguments ||
                      order.recipients_from == RecipientsFrom::both ||
                      (order.recipients_from == RecipientsFrom::either && !order.arguments.empty());
    from_header_ = order.recipients_from == RecipientsFrom::header ||
                   order.recipients_from == RecipientsFrom::both ||
                   (order.recipients_from == RecipientsFrom::either && order.arguments.empty());
  }

  Result<Composed> compose(uint64_t seconds, uint64_t number) {
    if (Result<void> done = take_arguments(); !done) return done.failure();
    for (const Field& field : fields_) {
      if (Result<void> done = take_field(field); !done) return done.failure();
    }
    if (Result<void> done = set_sender(); !done) return done.failure();
    if (composed_.envelope.recipients.empty())
      return permanent("find a recipient: none was named", 0, "5.5.4");
    if (order_.complete) add_missing(seconds, number);
    composed_.header += '\n';
    set_extras();
    return std::move(composed_);
  }

 private:
  Result<void> take_arguments() {
    if (!from_arguments_) return {};
    for (const std::string& argument : order_.arguments) {
      const std::optional<std::vector<Mailbox>> list = parse_address_list(argument);
      if (!list)
        return permanent("read a recipient: \"" + printable(argument, 100) + "\" is no address", 0, "5.1.3");
      if (Result<void> added = add_recipients(*list); !added) return added;
    }
    return {};
  }

  Result<void> take_field(const Field& field) {
    const KnownField& row = known(field);
    if (removed_by_letter(field)) return {};
    seen_.insert(lower(row.name));
    const std::optional<std::vector<Mailbox>> list =
        row.addresses ? parse_address_list(field.body()) : std::nullopt;
    if (row.recipients && row.resent == resent_ && from_header_) {
      if (!list)
        return permanent(
            "read the recipients: \"" + printable(field.text, 200) + "\" is no list of addresses", 0,
            "5.1.3");
      if (Result<void> added = add_recipients(*list); !added) return added;
    }
    if (list && (field.named("To") || field.named("Cc"))) note_visible(*list);
    if (field.named("Return-Path") && list && list->size() == 1) return_path_ = list->front();
    if (!row.kept) return {};
    if (list && order_.complete) {
      composed_.header += field.text.substr(0, field.body_begin) +
                          complete_text(field.body(), *list, setup_.completion) + "\n";
    } else {
      composed_.header += field.text;  // one that is no list stays as it was written
    }
    return {};
  }

  [[nodiscard]] bool removed_by_letter(const Field& field) const {
    return (setup_.letter('f') && field.named("From")) || (setup_.letter('i') && field.named("Message-ID"));
  }

  Result<void> add_recipients(const std::vector<Mailbox>& list) {
    for (const Mailbox& mailbox : list) {
      if (mailbox.null()) continue;
      std::string address = envelope_address(mailbox, setup_.completion);
      if (address.size() > kAddressLimitBytes)
        return permanent("read a recipient: \"" + printable(address, 60) + "\" is too long", 0, "5.1.3");
      if (!addresses_.insert(address).second) continue;
      if (composed_.envelope.recipients.size() == kRecipientLimit)
        return permanent("take all recipients: there are more than " + std::to_string(kRecipientLimit), 0,
                         "5.5.3");
      composed_.envelope.recipients.push_back(
          {.address = std::move(address), .notify = order_.notify, .orcpt = {}});
    }
    return {};
  }

  void note_visible(const std::vector<Mailbox>& list) {
    for (const Mailbox& mailbox : list) {
      if (!mailbox.null()) visible_.push_back(envelope_address(mailbox, setup_.completion));
    }
  }

  Result<void> set_sender() {
    std::string& sender = composed_.envelope.sender;
    const bool believe = !setup_.letter('s') && !order_.ignore_return_path;
    if (order_.sender) {
      if (Result<void> done = set_given_sender(*order_.sender); !done) return done;
    } else if (return_path_ && believe) {
      sender = return_path_->null() ? "" : envelope_address(*return_path_, setup_.completion);
    } else {
      std::string user = setup_.sender_user;
      if (setup_.letter('m'))
        user += "-" + std::to_string(now_microseconds() / 1000000) + "." + std::to_string(::getpid());
      if (setup_.letter('r')) user += "-";
      sender = made_address(user, setup_.sender_host, setup_.completion);
      if (setup_.letter('r')) sender += "-@[]";
    }
    if (sender.size() > kAddressLimitBytes)
      return permanent("read the sender: \"" + printable(sender, 60) + "\" is too long", 0, "5.1.7");
    return {};
  }

  Result<void> set_given_sender(const std::string& given) {
    composed_.envelope.sender = given;
    if (given.empty() || given.ends_with("-@[]") || given == "#@[]") return {};  // qmail's own senders
    const std::optional<std::vector<Mailbox>> list = parse_address_list(given);
    if (!list || list->size() != 1)
      return permanent("read the sender: \"" + printable(given, 100) + "\" is no address", 0, "5.1.7");
    composed_.envelope.sender =
        list->front().null() ? "" : envelope_address(list->front(), setup_.completion);
    return {};
  }

  void add(std::string_view name, std::string_view body) { composed_.header += make_field(name, body).text; }
  [[nodiscard]] bool seen(std::string_view name) const { return seen_.contains(lower(name)); }

  // RFC 5322, 3.6: Date and From must be there, Message-ID should. A resent message has both sets.
  void add_missing(uint64_t seconds, uint64_t number) {
    const std::string date = rfc5322_date(seconds);
    const std::string id = "<" + std::to_string(number) + ".postern@" + setup_.id_host + ">";
    if (resent_) {
      if (!seen("Resent-Date")) add("Resent-Date", date);
      if (!seen("Resent-From")) add("Resent-From", author());
      if (!seen("Resent-Message-ID")) add("Resent-Message-ID", id);
    }
    if (!seen("Date")) add("Date", date);
    if (!seen("From")) add("From", author());
    if (!seen("Message-ID")) add("Message-ID", id);
    if (!seen("To") && !seen("Cc")) add("To", "undisclosed-recipients:;");
    add_followup();
  }

  [[nodiscard]] std::string author() const {
    const std::string& sender = composed_.envelope.sender;
    const bool as_sender = order_.sender_is_author && order_.sender && !sender.empty();
    const std::string address =
        as_sender ? sender : made_address(setup_.author_user, setup_.author_host, setup_.completion);
    std::string name = order_.name ? *order_.name : setup_.author_name;
    if (name.empty() && order_.sender_is_author && !as_sender && !order_.name) name = setup_.account_name;
    if (name.empty()) return address;
    if (setup_.letter('c')) {
      std::string comment;
      for (const char c : printable(name)) {
        if (c == '(' || c == ')' || c == '\\') comment += '\\';
        comment += c;
      }
      return address + " (" + comment + ")";
    }
    return phrase(name) + " <" + address + ">";
  }

  // Mail to a list that the user is on: answers go to the list and to those who are not on it.
  void add_followup() {
    if (setup_.list_addresses.empty() || seen("Mail-Followup-To")) return;
    const auto listed = [&](const std::string& address) {
      const std::vector<std::string_view> lines = control_lines(setup_.list_addresses);
      return std::any_of(lines.begin(), lines.end(),
                         [&](std::string_view line) { return equal_ignoring_case(line, address); });
    };
    if (std::none_of(visible_.begin(), visible_.end(), listed)) return;
    std::string all;
    for (const std::string& address : visible_) all += (all.empty() ? "" : ",\n  ") + address;
    add("Mail-Followup-To", all);
  }

  void set_extras() {
    Envelope& envelope = composed_.envelope;
    envelope.ret = order_.ret;
    envelope.envid = order_.envid;
    envelope.body = order_.body;
    const auto is_8bit = [](const std::string& address) {
      return std::any_of(address.begin(), address.end(),
                         [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
    };
    envelope.smtputf8 =
        is_8bit(envelope.sender) || std::any_of(envelope.recipients.begin(), envelope.recipients.end(),
                                                [&](const Recipient& r) { return is_8bit(r.address); });
  }

  const std::vector<Field>& fields_;
  const Order& order_;
  const Setup& setup_;
  Composed composed_;
  std::set<std::string> addresses_;
  std::set<std::string> seen_;
  std::vector<std::string> visible_;
  std::optional<Mailbox> return_path_;
  bool resent_ = false;
  bool from_arguments_ = false;
  bool from_header_ = false;
};

}  // namespace

Result<Composed> compose(const std::vector<Field>& fields, const Order& order, const Setup& setup,
                         uint64_t seconds, uint64_t number) {
  return Composer(fields, order, setup).compose(seconds, number);
}

std::string phrase(std::string_view name) {
  std::string clean(name);
  std::erase_if(clean, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (std::any_of(clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; }))
    return encoded_words(clean);
  if (std::all_of(clean.begin(), clean.end(), plain_word_byte)) return clean;
  std::string quoted = "\"";
  for (const char c : clean) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace postern::inject
