# Postern: `make demo` shows the main job, `make check` proves it; README.md tells more.

MODE ?= release
O := build/$(MODE)
BIN := $(if $(filter release,$(MODE)),build/bin,$(O)/bin)
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
conf = $(shell head -n1 conf-files/conf-$(1))

# The map: every program; the parts of its folder that it needs beside lib/ (_SRCS), and its libraries (_LIBS).
PASSING := smtpd/postern-smtpd scanq/postern-scanq queue/postern-queue local/postern-local
RESIDENT := queue/postern-send queue/postern-bounce queue/postern-qread queue/postern-qstat \
  queue/postern-workq \
  scanq/postern-antivirus quarantine/postern-quarantine \
  local/postern-lspawn local/postern-newu remote/postern-rspawn remote/postern-remote dnsq/postern-dnsq \
  service/postern-ask service/postern-bind service/postern-serve service/postern-init service/postern-showctl

postern-queue_SRCS = queue/kept.cc
postern-scanq_SRCS = scanq/direction.cc scanq/edits.cc scanq/scan.cc scanq/stages.cc
postern-send_SRCS = queue/attempts.cc queue/bounce_request.cc queue/bounces.cc queue/channel.cc queue/delivery.cc queue/dsn.cc \
  queue/intake.cc queue/pass.cc queue/queue_lock.cc queue/removal.cc queue/reports.cc queue/schedule.cc queue/send_settings.cc queue/signals.cc
postern-workq_SRCS = queue/attempts.cc queue/delivery.cc queue/intake.cc queue/queue_lock.cc queue/removal.cc queue/scans.cc \
  queue/schedule.cc queue/signals.cc
postern-bounce_SRCS = queue/bounce_request.cc queue/dsn.cc
postern-qread_SRCS = queue/attempts.cc
postern-local_SRCS = local/mailbox.cc local/maildir.cc local/trace_fields.cc
postern-newu_SRCS = local/assign.cc
postern-lspawn_SRCS = local/local_child.cc local/account.cc local/assign.cc local/mailbox.cc local/maildir.cc local/trace_fields.cc
postern-smtpd_SRCS = $(addprefix smtpd/,available_memory.cc client.cc command.cc data.cc event_log.cc header_scan.cc message.cc path.cc replies.cc settings.cc)
remote_parts = delivery message_body report routes settings smtp_reply smtp_session smtp_transaction targets
postern-remote_SRCS = $(remote_parts:%=remote/%.cc)
postern-rspawn_SRCS = $(remote_parts:%=remote/%.cc)
postern-dnsq_SRCS = dnsq/dns_file.cc dnsq/dns_name.cc dnsq/dns_record.cc dnsq/dns_service.cc dnsq/inquiry.cc dnsq/unbound_source.cc
postern-init_SRCS = service/accounts.cc service/control_defaults.cc service/init_options.cc service/install_files.cc \
  service/run_scripts.cc service/services.cc
postern-showctl_SRCS = service/check_control.cc service/init_options.cc service/services.cc
postern-dnsq_LIBS = -lunbound
postern-quarantine_SRCS = quarantine/quarantine_store.cc quarantine/quarantine_list.cc quarantine/quarantine_release.cc
postern-antivirus_SRCS = scanq/antivirus_engine.cc scanq/antivirus_mime.cc scanq/antivirus_scan.cc scanq/antivirus_scratch.cc
postern-antivirus_LIBS = -lclamav $(shell pkg-config --libs gmime-3.0)
scanq_FLAGS = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags gmime-3.0))

# Tests are compiled once and run once: not worth optimising.
tests_FLAGS = -O0 -U_FORTIFY_SOURCE

PROGRAMS := $(foreach p,$(PASSING) $(RESIDENT),$(if $(wildcard $(p).cc),$(p)))
NAMES := $(notdir $(PROGRAMS))
FOLDERS := smtpd scanq queue local remote dnsq quarantine service
SOURCES := $(basename $(wildcard $(addsuffix /*.cc,$(FOLDERS))))
PARTS := $(foreach s,$(SOURCES),$(if $(filter postern-%,$(notdir $(s))),,$(s)))
objects = $(patsubst %,$(O)/%.o,$(1))
LIB := $(O)/libpostern.a

CPPFLAGS_ALL = -I. -D_GNU_SOURCE -DPOSTERN_DEFAULT_HOME='"$(call conf,home)"' -DPOSTERN_SPLIT=$(call conf,split) $(CPPFLAGS)
CXXFLAGS_release = -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=3
CXXFLAGS_asan = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CXXFLAGS_cover = -O0 -g --coverage
CXXFLAGS_ALL = -std=c++20 -fPIE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror \
  -D_GLIBCXX_ASSERTIONS $(CXXFLAGS_$(MODE)) $(CXXFLAGS)
LDFLAGS_ALL = -Wl,-z,relro,-z,now -Wl,--as-needed $(filter -fsanitize% --coverage,$(CXXFLAGS_$(MODE))) $(LDFLAGS)
# Passing programs are fully static (the sanitizers cannot be); the others carry their own C++ library.
LINK_passing = $(if $(filter release,$(MODE)),-static-pie,-pie)
LINK_resident = $(if $(filter release,$(MODE)),-static-libstdc++ -static-libgcc) -pie

all: $(addprefix $(BIN)/,$(NAMES))

$(O)/%.o: %.cc
	@mkdir -p $(@D)
	@echo "  CXX $@"
	@$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) $($(firstword $(subst /, ,$*))_FLAGS) -MMD -MP -c $< -o $@

$(LIB): $(call objects,$(basename $(wildcard lib/*.cc)))
	@rm -f $@
	@$(AR) rcs $@ $^

# The default control files, one C++ string each, for postern-init to write where an instance has none.
$(O)/service/control_defaults.inc: $(filter-out conf-files/conf-%,$(wildcard conf-files/*)) Makefile
	@mkdir -p $(@D)
	@for f in $(filter conf-files/%,$^); do printf '{"%s", R"text(' $${f##*/}; cat $$f; printf ')text"},\n'; done > $@
$(O)/service/control_defaults.o: $(O)/service/control_defaults.inc
service_FLAGS = -I$(O)/service

define link
$(BIN)/$(notdir $(1)): $(O)/$(1).o $(call objects,$(basename $($(notdir $(1))_SRCS))) $(LIB)
	@mkdir -p $$(@D)
	@echo "  LINK $$@"
	@$$(CXX) $$(LDFLAGS_ALL) $$(LINK_$(2)) $$^ $$($(notdir $(1))_LIBS) -lcdb -lxxhash -o $$@
endef
$(foreach p,$(PASSING),$(eval $(call link,$(p),passing)))
$(foreach p,$(RESIDENT),$(eval $(call link,$(p),resident)))

# One binary of all unit tests; `build/release/unit -sf='*verdict*'` runs one file's.
$(O)/unit: $(call objects,$(basename $(wildcard tests/unit/*.cc)) $(PARTS)) $(LIB)
	@echo "  LINK $@"
	@$(CXX) $(LDFLAGS_ALL) -pie $^ -lunbound $(postern-antivirus_LIBS) -lcdb -lxxhash -o $@

unit: $(O)/unit

# Debian 12 packages: to build; to run; for the demo, the tests and the benchmark.
PACKAGES := g++ make pkg-config libunbound-dev libclamav-dev libgmime-3.0-dev libcdb-dev libxxhash-dev doctest-dev \
  daemontools ucspi-tcp-ipv6 \
  swaks nsd ldnsutils dnsutils postfix clamav-testfiles spamassassin zip strace procps psmisc python3 binutils file

deps:
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	else \
	  echo "Packages are missing. As root:" $$missing; echo "  apt-get install --no-install-recommends" $$missing; exit 1; \
	fi

# Programs and tests where every user can read them: only root may be able to enter the checkout.
DEMO := d=$$(mktemp -d /tmp/postern-demo.XXXXXX) && chmod 755 $$d && trap 'rm -rf $$d' EXIT && \
  $(MAKE) -s install PREFIX=$$d && cp -r tests $$d/tests && bash $$d/tests/demo.sh $$d/bin
demo: deps
	@$(MAKE) -s -j$(JOBS) all
	@$(DEMO)
run: deps
	@$(MAKE) -s -j$(JOBS) all
	@$(DEMO) --stay

check: deps
	@$(MAKE) -s -j$(JOBS) all unit
	@$(MAKE) -s -j$(JOBS) MODE=asan unit
	@bash tests/run.sh build $(TEST)

bench: deps
	@$(MAKE) -s -j$(JOBS) all
	@bash tests/bench/run.sh build/bin
	@bash tests/bench/run.sh build/bin --av

fuzz: deps
	@bash tests/fuzz/run.sh $(SECONDS_EACH)

install: all
	@install -d -m 755 $(addprefix $(DESTDIR)$(PREFIX)/,bin share/man/man7 share/man/man8)
	@install -m 755 $(addprefix $(BIN)/,$(NAMES)) $(DESTDIR)$(PREFIX)/bin/
	@install -m 644 $(wildcard doc/man/*.7) $(DESTDIR)$(PREFIX)/share/man/man7/
	@install -m 644 $(wildcard doc/man/*.8) $(DESTDIR)$(PREFIX)/share/man/man8/

clean:
	rm -rf build

.PHONY: all unit deps demo run check bench fuzz install clean
-include $(shell find $(O) -name '*.d' 2>/dev/null)
