// SystemSettings: systems/NAME.toml, the only truth about a system.
//
//     name = "epr"                          # equals the file's name
//     title = "Electronic patient record"
//     supplier = "Pippin Hosting"           # optional
//     contacts = ["Switchboard 01234 567890"]
//     opening_keys = "node"                 # or "locked"
//     term = 0                              # of what the sources hold: raised by hand when, after
//                                           # a failover, they are where the system runs now
//     [objectives]                          # needed beside [plan]
//     data_age = "15m"                      # s, m, h, d
//     time_to_run = "30m"
//     [keep]                                # optional: without it prune keeps every snapshot
//     last = 12                             # at least one of these; a snapshot stays if one
//     hourly = 48                           # of them keeps it (agent/prune/judge.h)
//     daily = 31
//     weekly = 8
//     monthly = 24
//     yearly = 10
//     within = "2d"
//     [[source]]                            # one at least
//     name = "database"                     # default: the kind
//     kind = "postgres"
//     host = "127.0.0.1"                    # or the socket's folder
//     port = 5432                           # 5432
//     user = "holdfast"                     # "holdfast"
//     passfile = "/etc/holdfast/epr.pgpass" # optional
//     sslmode = "prefer"                    # "verify-full"
//     sslrootcert = "/etc/ssl/pippin.pem"   # optional
//     stream = "2s"                         # bring its log as it is written; optional
//     stream_log_max = 4                    # GiB of log that its slot may hold at the source: 4
//     [[source]]
//     name = "documents"
//     kind = "files"
//     path = "/srv/epr/documents"
//     exclude = ["*.tmp", "cache/**"]       # vault/base/glob.h
//     one_file_system = false
//     atomic = "btrfs"                      # "lvm", "xfs-reflink", "hook": of one moment; optional
//     journal = true                        # ask `holdfast journal` what changed; false
//     journal_proof = "7d"                  # how often all is read beside it: "1d"
//     begin = ["/usr/bin/pacs", "pause"]    # with atomic; agent/source/hook/hook.h; for "hook"
//     end = ["/usr/bin/pacs", "resume"]     # needed: it holds the tree, or says where it is held
//     [[source]]
//     kind = "sqlite"
//     path = "/var/lib/pacs/index.db"       # the database file
//     [[source]]
//     name = "registry"
//     kind = "command"
//     command = ["/usr/bin/mariadb-dump", "--single-transaction", "registry"]
//     file = "registry.sql"                 # "output"
//     timeout = "6h"                        # "1d"
//     [[source]]
//     kind = "image"                        # a disk: file, block device or NBD export
//     path = "nbd://10.1.0.5/pacs-vda"      # an absolute path, or an NBD URI; needed without begin
//     file = "vda.img"                      # "disk.img"
//     begin = ["/usr/lib/holdfast/hooks/hold-disk", "pacs"]  # agent/source/hook/hook.h; optional:
//     end = ["/usr/lib/holdfast/hooks/let-go", "pacs"]       # what holds the disk, and lets go
//     hook_timeout = "5m"                   # "10m", for each
//     [[source]]
//     kind = "landing"                      # a share that others write their own backups to
//     path = "/srv/landing/lims"
//     exclude = ["*.tmp"]
//     quiet = "2m"                          # a file is whole if nobody wrote to it for so long,
//     or, marker = ".done"                      # where this is given, once FILE.done is beside it
//     immutable = true                      # whole files become so (chattr +i)
//     keep_for = "14d"                      # optional: then sealed files go that are in a snapshot
//     restore_hook = ["/usr/local/sbin/verify-bak"]  # run by restore --hook; optional
//     [[source.expect]]                     # else there is a warning
//     pattern = "FULL_*.bak"
//     every = "26h"
//     megabytes_min = 500                   # 0
//     [plan]                                # optional: without it the system is kept, not run
//     runtime = "postgres"                  # runtimes/postgres.toml on the node that executes
//     hosts = ["Trumpton"]                  # partners where it may run
//     [[check]]
//     name = "allergies are there"
//     kind = "sql"                          # on the endpoint of a postgres source
//     source = "database"
//     query = "select count(*) > 0 from allergies"
//     expect = "t"
//     [[check]]
//     name = "content equals"
//     kind = "command"                      # a command of the executing node's runtime file
//     command = "prove"
//     [[endpoint]]
//     name = "database"
//     source = "database"
//     port = 5432                           # what the system's clients use
//     relay = "127.0.0.1:15432"             # where the owner's relay listens; optional
//     probe = "tcp"                         # "tcp" | "none"
//     [fence]                               # needed beside [plan]
//     kind = "attested"                     # "enforced"
//     say = "Is Pippin's server powered off, or its link unplugged?"   # needed if attested
//
// An Error lists up to mistakes_max mistakes, one a line: "FILE:LINE:COLUMN: what is wrong".
#pragma once

#include "vault/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::agent {

constexpr std::size_t system_file_bytes_max = 131'072;
constexpr std::size_t sources_max = 32;
constexpr std::size_t excludes_max = 500;
constexpr std::size_t expects_max = 100;
constexpr std::int64_t megabytes_max = 1'000'000'000;
constexpr std::size_t contacts_max = 20;
constexpr std::size_t hosts_max = 20;
constexpr std::size_t checks_max = 100;
constexpr std::uint32_t keep_count_max = 1'000'000;
constexpr std::size_t endpoints_max = 32;
constexpr std::size_t query_bytes_max = 8'192;
constexpr std::int64_t term_max = 1'000'000;

/// What a node needs to open the system's snapshots: its own key file, or people with shares.
enum class OpeningKeys { Node, Locked };

struct ObjectiveSettings {
    std::int64_t data_age_ms = 0;
    std::int64_t time_to_run_ms = 0;
    friend bool operator==(const ObjectiveSettings&, const ObjectiveSettings&) = default;
};

/// Programs that hold a source at one moment while it is read; begin may be empty: none.
struct HookSourceSettings {
    std::vector<std::string> begin, end;  // A program's whole path, and arguments.
    std::int64_t timeout_ms = 600'000;
    friend bool operator==(const HookSourceSettings&, const HookSourceSettings&) = default;
};

/// What makes a folder tree of one moment.
enum class Atomic { No, Btrfs, Lvm, Reflink, Hook };

struct FilesSourceSettings {
    std::string path;  // Absolute, normal.
    std::vector<std::string> exclude;
    bool one_file_system = false;
    Atomic atomic = Atomic::No;
    HookSourceSettings hook = {};
    bool journal = false;  // Changes are told by the kernel, not looked for.
    std::int64_t journal_proof_ms = 24LL * 3600 * 1000;
    friend bool operator==(const FilesSourceSettings&, const FilesSourceSettings&) = default;
};

struct PostgresSourceSettings {
    std::string host;  // A name, an address, or the folder of the socket.
    std::uint16_t port = 5432;
    std::string user = "holdfast";
    std::string passfile;  // Empty: none.
    std::string sslmode = "verify-full";
    std::string sslrootcert;     // Empty: libpq's default file.
    std::int64_t stream_ms = 0;  // How often the log is brought between snapshots; 0: not at all.
    std::uint64_t stream_log_bytes_max = 4ULL << 30;
    friend bool operator==(const PostgresSourceSettings&, const PostgresSourceSettings&) = default;
};

struct SqliteSourceSettings {
    std::string path;  // Absolute, normal.
    friend bool operator==(const SqliteSourceSettings&, const SqliteSourceSettings&) = default;
};

struct CommandSourceSettings {
    std::vector<std::string> command;  // A program's whole path, and arguments.
    std::string file = "output";
    std::int64_t timeout_ms = 24LL * 3600 * 1000;
    friend bool operator==(const CommandSourceSettings&, const CommandSourceSettings&) = default;
};

struct ImageSourceSettings {
    std::string path;  // Absolute, or an NBD URI; empty: the hook tells.
    std::string file = "disk.img";
    HookSourceSettings hook;
    friend bool operator==(const ImageSourceSettings&, const ImageSourceSettings&) = default;
};

struct ExpectSettings {
    std::string pattern;
    std::int64_t every_ms = 0;
    std::uint64_t bytes_min = 0;
    friend bool operator==(const ExpectSettings&, const ExpectSettings&) = default;
};

struct LandingSourceSettings {
    std::string path;  // Absolute, normal.
    std::vector<std::string> exclude;
    std::int64_t quiet_ms = 120'000;
    std::string marker;  // Empty: none.
    bool immutable = true;
    std::int64_t keep_ms = 0;               // 0: for ever.
    std::vector<std::string> restore_hook;  // A program's whole path, and arguments. Empty: none.
    std::vector<ExpectSettings> expect;
    friend bool operator==(const LandingSourceSettings&, const LandingSourceSettings&) = default;
};

struct SourceSettings {
    std::string name;
    std::variant<FilesSourceSettings, PostgresSourceSettings, SqliteSourceSettings,
                 CommandSourceSettings, ImageSourceSettings, LandingSourceSettings>
        of;

    /// "files", "postgres", "sqlite", "command", "image" or "landing".
    std::string_view kind() const;
    friend bool operator==(const SourceSettings&, const SourceSettings&) = default;
};

struct PlanSettings {
    std::string runtime;
    std::vector<std::string> hosts;  // Partners, by their display names.
    friend bool operator==(const PlanSettings&, const PlanSettings&) = default;
};

struct SqlCheckSettings {
    std::string source;  // A postgres source.
    std::string query;   // Text for the server; nothing here executes or alters it.
    std::string expect;
    friend bool operator==(const SqlCheckSettings&, const SqlCheckSettings&) = default;
};

/// Which snapshots prune keeps; what is not there keeps none.
struct KeepSettings {
    std::optional<std::uint32_t> last, hourly, daily, weekly, monthly, yearly;
    std::optional<std::int64_t> within_ms;

    bool any() const { return last || hourly || daily || weekly || monthly || yearly || within_ms; }
    friend bool operator==(const KeepSettings&, const KeepSettings&) = default;
};

/// The keys of [keep] that take a number, and where each goes.
struct KeepCount {
    std::string_view key;
    std::optional<std::uint32_t> KeepSettings::*count;
};
constexpr KeepCount keep_counts[] = {
    {"last", &KeepSettings::last},       {"hourly", &KeepSettings::hourly},
    {"daily", &KeepSettings::daily},     {"weekly", &KeepSettings::weekly},
    {"monthly", &KeepSettings::monthly}, {"yearly", &KeepSettings::yearly}};

struct CommandCheckSettings {
    std::string command;  // A key of the runtime's [commands].
    friend bool operator==(const CommandCheckSettings&, const CommandCheckSettings&) = default;
};

struct CheckSettings {
    std::string name;
    std::variant<SqlCheckSettings, CommandCheckSettings> of;
    friend bool operator==(const CheckSettings&, const CheckSettings&) = default;
};

enum class ProbeKind { None, Tcp };

struct EndpointSettings {
    std::string name;
    std::string source;
    std::uint16_t port = 0;
    std::string relay;  // "ADDRESS:PORT", or empty: no relay.
    ProbeKind probe = ProbeKind::Tcp;
    friend bool operator==(const EndpointSettings&, const EndpointSettings&) = default;
};

enum class FenceKind { Attested, Enforced };

struct FenceSettings {
    FenceKind kind = FenceKind::Attested;
    std::string say;  // The question that two people answer.
    friend bool operator==(const FenceSettings&, const FenceSettings&) = default;
};

struct SystemSettings {
    std::string name, title, supplier;
    std::vector<std::string> contacts;
    OpeningKeys opening_keys = OpeningKeys::Node;
    std::uint64_t term = 0;
    std::optional<ObjectiveSettings> objectives;
    std::optional<KeepSettings> keep;
    std::vector<SourceSettings> sources;
    std::optional<PlanSettings> plan;
    std::vector<CheckSettings> checks;
    std::vector<EndpointSettings> endpoints;
    std::optional<FenceSettings> fence;
    std::string text;  // The file byte for byte, for the snapshot's manifest.

    /// Null if there is none of that name.
    const SourceSettings* source(std::string_view source_name) const;
    friend bool operator==(const SystemSettings&, const SystemSettings&) = default;
};

/// Reads a system from `text`, be it a file's or a manifest's; `file` is told in messages.
/// Errors: Invalid (every mistake with its place).
Result<SystemSettings> parse_system(std::string text, const std::string& file);

}  // namespace holdfast::agent
