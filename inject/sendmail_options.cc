#include "inject/sendmail_options.h"

#include <sysexits.h>

#include <algorithm>

#include "lib/text.h"
#include "lib/xtext.h"

namespace postern::inject {

namespace {

constexpr std::string_view kWithValue = "ABCFLNORVXefhopr";  // in the same word, or the next one
constexpr std::string_view kMaybeValue = "bdq";              // in the same word, or none
constexpr size_t kEnvidLimitBytes = 100;                     // RFC 3461, 4.4

Failure usage(const std::string& what) {
  return permanent("read the arguments: " + what, 0, "5.5.4");
}

std::string upper(std::string_view text) {
  std::string changed(text);
  std::transform(changed.begin(), changed.end(), changed.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return changed;
}

Result<void> set_mode(SendmailCall& call, std::string_view value) {
  if (value == "m") return {};
  if (value == "s") {
    call.mode = Mode::smtp;
  } else if (value == "p") {
    call.mode = Mode::list_queue;
  } else if (value == "i") {
    call.mode = Mode::new_aliases;
  } else if (value == "d" || value == "D" || value == "l") {
    return permanent("be a daemon: the services of the instance are, see postern-init(8)", 0, "5.3.3");
  } else if (value == "v" || value == "t") {
    return permanent("test addresses: there is no -b" + std::string(value), 0, "5.3.3");
  } else {
    return usage("-b" + printable(value, 20) + " is no mode");
  }
  return {};
}

Result<void> set_notify(Order& order, std::string_view value) {
  const std::string notify = upper(value);
  const std::vector<std::string_view> words = split(notify, ',');
  const bool known = std::all_of(words.begin(), words.end(), [](std::string_view word) {
    return word == "SUCCESS" || word == "FAILURE" || word == "DELAY";
  });
  if (!known && notify != "NEVER") return usage("-N takes NEVER, or a list of SUCCESS, FAILURE and DELAY");
  order.notify = notify;
  return {};
}

Result<void> set_return(Order& order, std::string_view value) {
  order.ret = upper(value);
  if (order.ret != "FULL" && order.ret != "HDRS") return usage("-R takes FULL or HDRS");
  return {};
}

Result<void> set_envid(Order& order, std::string_view value) {
  order.envid = encode_xtext(value);
  if (order.envid.empty() || order.envid.size() > kEnvidLimitBytes) return usage("-V takes 1 to 100 bytes");
  return {};
}

// What sendmail's senders say of the body; a message without 8-bit bytes is none, whatever they say.
Result<void> set_body(Order& order, std::string_view value) {
  const std::string body = upper(value);
  if (body != "7BIT" && body != "8BITMIME") return usage("-B takes 7BIT or 8BITMIME");
  order.body = body;
  return {};
}

// -q all, -qI one mid, -qR a recipient's address or domain, -qS a sender's address.
Result<void> set_flush(SendmailCall& call, std::string_view value) {
  call.mode = Mode::flush_queue;
  if (value.empty()) {
    call.selectors = {"--all"};
    return {};
  }
  const std::string name(value.substr(1));
  if (value.front() >= '0' && value.front() <= '9')
    return permanent("work the queue every " + printable(value, 20) + ": postern-send(8) does", 0, "5.3.3");
  if (name.empty() || std::string_view("IRS").find(value.front()) == std::string_view::npos)
    return usage("-q takes nothing, IMID, RADDRESS, RDOMAIN or SADDRESS");
  const bool address = name.find('@') != std::string::npos;
  call.selectors = {value.front() == 'I'   ? "--mid"
                    : value.front() == 'S' ? "--sender"
                    : address              ? "--recipient"
                                           : "--site",
                    name};
  return {};
}

Result<void> set_option(SendmailCall& call, char letter, std::string_view value) {
  Order& order = call.order;
  switch (letter) {
    case 't':
      order.recipients_from = RecipientsFrom::both;
      return {};
    case 'i':
      order.dot_ends = false;
      return {};
    case 'o':  // of all those settings the only one that concerns us; -om, -oem and the like are passed over
      if (value == "i") order.dot_ends = false;
      return {};
    case 'f':
    case 'r':
      order.sender = value;
      return {};
    case 'F':
      order.name = value;
      return {};
    case 'G':
      order.complete = false;
      return {};
    case 'b':
      return set_mode(call, value);
    case 'q':
      return set_flush(call, value);
    case 'I':
      call.mode = Mode::new_aliases;
      return {};
    case 'N':
      return set_notify(order, value);
    case 'R':
      return set_return(order, value);
    case 'V':
      return set_envid(order, value);
    case 'B':
      return set_body(order, value);
    default:
      if (std::string_view("ACLOUXdehmnpvx").find(letter) != std::string_view::npos) return {};
      return usage("there is no option -" + printable(std::string(1, letter)) + "; see postern-sendmail(8)");
  }
}

}  // namespace

Result<SendmailCall> parse_sendmail(std::string_view name, const std::vector<std::string>& arguments) {
  SendmailCall call;
  call.order.recipients_from = RecipientsFrom::arguments;
  call.order.sender_is_author = true;
  call.order.ignore_return_path = true;
  call.order.dot_ends = true;
  if (name == "mailq") call.mode = Mode::list_queue;
  if (name == "newaliases") call.mode = Mode::new_aliases;
  bool options_over = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (options_over || word.size() < 2 || word.front() != '-') {
      call.order.arguments.push_back(word);
      continue;
    }
    if (word == "--") {
      options_over = true;
      continue;
    }
    for (size_t at = 1; at < word.size(); ++at) {
      const char letter = word[at];
      std::string_view value;
      const bool takes = kWithValue.find(letter) != std::string_view::npos;
      if (takes || kMaybeValue.find(letter) != std::string_view::npos) {
        value = std::string_view(word).substr(at + 1);
        at = word.size();
        if (takes && value.empty()) {
          if (++i == arguments.size()) return usage(std::string("-") + letter + " needs a value");
          value = arguments[i];
        }
      }
      if (Result<void> set = set_option(call, letter, value); !set) return set.failure();
    }
  }
  return call;
}

int sendmail_exit_code(const SmtpReply& reply) {
  if (reply.accepted()) return EX_OK;
  if (!reply.permanent()) return EX_TEMPFAIL;
  struct Row {
    std::string_view status;
    int exit_code;
  };
  static constexpr Row kRows[] = {
      {"5.1.1", EX_NOUSER}, {"5.1.2", EX_NOHOST},  {"5.1.3", EX_DATAERR}, {"5.1.7", EX_DATAERR},
      {"5.3.3", EX_USAGE},  {"5.3.4", EX_DATAERR}, {"5.4.6", EX_DATAERR}, {"5.5.3", EX_DATAERR},
      {"5.5.4", EX_USAGE},  {"5.6.0", EX_DATAERR},
  };
  for (const Row& row : kRows) {
    if (reply.status == row.status) return row.exit_code;
  }
  return EX_UNAVAILABLE;
}

}  // namespace postern::inject
