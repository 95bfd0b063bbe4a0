#include "agent/config/system_settings.h"

#include "agent/config/table_reader.h"

#include <algorithm>
#include <array>

namespace holdfast::agent {

using config::Choice;
using config::Need;
using config::Others;
using config::TableReader;
using config::UsedNames;
namespace rule = config::rule;

namespace {

enum class SourceKind { Files, Postgres, Sqlite, Command, Image, Landing };
enum class CheckKind { Sql, Command };

constexpr std::array<Choice<OpeningKeys>, 2> opening_keys_choices{
    {{"node", OpeningKeys::Node}, {"locked", OpeningKeys::Locked}}};
constexpr std::array<Choice<SourceKind>, 6> source_kinds{{{"files", SourceKind::Files},
                                                          {"postgres", SourceKind::Postgres},
                                                          {"sqlite", SourceKind::Sqlite},
                                                          {"command", SourceKind::Command},
                                                          {"image", SourceKind::Image},
                                                          {"landing", SourceKind::Landing}}};
constexpr std::array<Choice<CheckKind>, 2> check_kinds{
    {{"sql", CheckKind::Sql}, {"command", CheckKind::Command}}};
constexpr std::array<Choice<ProbeKind>, 2> probe_kinds{
    {{"tcp", ProbeKind::Tcp}, {"none", ProbeKind::None}}};
constexpr std::array<Choice<FenceKind>, 2> fence_kinds{
    {{"attested", FenceKind::Attested}, {"enforced", FenceKind::Enforced}}};
// libpq's words. "allow" and "prefer" fall back to plain text: fit for loopback only.
constexpr std::array<Choice<std::string_view>, 6> sslmodes{{{"disable", "disable"},
                                                            {"allow", "allow"},
                                                            {"prefer", "prefer"},
                                                            {"require", "require"},
                                                            {"verify-ca", "verify-ca"},
                                                            {"verify-full", "verify-full"}}};

constexpr std::array<Choice<Atomic>, 4> atomic_choices{{{"btrfs", Atomic::Btrfs},
                                                        {"lvm", Atomic::Lvm},
                                                        {"xfs-reflink", Atomic::Reflink},
                                                        {"hook", Atomic::Hook}}};

constexpr std::array<std::string_view, 6> files_keys{"path",   "exclude", "one_file_system",
                                                     "atomic", "journal", "journal_proof"};
constexpr std::array<std::string_view, 8> postgres_keys{
    "host", "port", "user", "passfile", "sslmode", "sslrootcert", "stream", "stream_log_max"};
constexpr std::int64_t stream_gib_max = 1024;
constexpr std::array<std::string_view, 5> files_own_keys{"exclude", "one_file_system", "atomic",
                                                         "journal", "journal_proof"};
constexpr std::array<std::string_view, 3> output_keys{"command", "file", "timeout"};
constexpr std::array<std::string_view, 2> output_own_keys{"command", "timeout"};
constexpr std::array<std::string_view, 3> hook_keys{"begin", "end", "hook_timeout"};
constexpr std::array<std::string_view, 3> sql_keys{"source", "query", "expect"};
constexpr std::array<std::string_view, 1> command_keys{"command"};

void not_here(TableReader& reader, std::span<const std::string_view> keys, std::string_view kind) {
    for (const std::string_view key : keys) {
        reader.elsewhere(key, "kind " + config::in_quotes(kind));
    }
}

void hooks_not_here(TableReader& reader) {
    for (const std::string_view key : hook_keys) {
        reader.elsewhere(key, "kind \"files\" or \"image\"");
    }
}

std::string word_of(SourceKind kind) {
    for (const auto& [word, value] : source_kinds) {
        if (value == kind) return std::string(word);
    }
    return {};
}

/// "[[source]] "documents"", once the name is known.
void call_by_name(TableReader& reader, const std::string& name) {
    reader.call(reader.title() + " " + config::in_quotes(name));
}

class SystemReader {
public:
    explicit SystemReader(TableReader root) : root_(std::move(root)) {}

    SystemSettings read() {
        read_head();
        read_objectives();
        read_keep();
        for (TableReader& one : root_.tables("source", Need::Required, sources_max)) {
            read_source(one);
        }
        read_plan();
        for (TableReader& one : root_.tables("check", Need::Optional, checks_max)) read_check(one);
        for (TableReader& one : root_.tables("endpoint", Need::Optional, endpoints_max)) {
            read_endpoint(one);
        }
        read_fence();
        root_.finish();
        return std::move(out_);
    }

private:
    void read_head() {
        root_.text("name", Need::Required, rule::name, out_.name);
        root_.text("title", Need::Required, rule::line, out_.title);
        root_.text("supplier", Need::Optional, rule::line, out_.supplier);
        root_.texts("contacts", Need::Optional, rule::line, {0, contacts_max}, out_.contacts);
        root_.choice("opening_keys", Need::Optional, opening_keys_choices, out_.opening_keys);
        std::int64_t term = 0;
        root_.number("term", Need::Optional, {0, term_max}, term);
        out_.term = static_cast<std::uint64_t>(term);
    }

    /// What only a system that is to run somewhere needs.
    Need beside_plan() const { return root_.has("plan") ? Need::Required : Need::Optional; }

    void read_objectives() {
        auto reader = root_.table("objectives", beside_plan());
        if (!reader) return;
        ObjectiveSettings& objectives = out_.objectives.emplace();
        reader->duration("data_age", Need::Required, objectives.data_age_ms);
        reader->duration("time_to_run", Need::Required, objectives.time_to_run_ms);
        reader->finish();
    }

    void read_keep() {
        auto reader = root_.table("keep", Need::Optional);
        if (!reader) return;
        KeepSettings& keep = out_.keep.emplace();
        for (const auto& [key, count] : keep_counts) {
            std::int64_t number = 0;
            if (reader->number(key, Need::Optional, {1, keep_count_max}, number)) {
                keep.*count = static_cast<std::uint32_t>(number);
            }
        }
        std::int64_t within_ms = 0;
        if (reader->duration("within", Need::Optional, within_ms)) keep.within_ms = within_ms;
        if (reader->keys().empty()) {
            reader->complain(
                "keeps nothing: give last, hourly, daily, weekly, monthly, yearly or "
                "within");
        }
        reader->finish();
    }

    void read_source(TableReader& reader) {
        SourceSettings source;
        SourceKind kind{};
        reader.text("name", Need::Optional, rule::name, source.name);
        const bool known = reader.choice("kind", Need::Required, source_kinds, kind);
        if (source.name.empty() && !reader.has("name") && known) {
            source.name = word_of(kind);
        }
        if (source.name.empty()) {
            nameless_source_ = true;
        } else {
            source_names_.use(reader, reader.has("name") ? "name" : "kind", source.name);
            call_by_name(reader, source.name);
        }
        if (known) {
            switch (kind) {
                case SourceKind::Files:
                    source.of = read_files(reader);
                    break;
                case SourceKind::Postgres:
                    source.of = read_postgres(reader);
                    break;
                case SourceKind::Sqlite:
                    source.of = read_sqlite(reader);
                    break;
                case SourceKind::Command:
                    source.of = read_output(reader);
                    break;
                case SourceKind::Image:
                    source.of = read_image(reader);
                    break;
                case SourceKind::Landing:
                    source.of = read_landing(reader);
                    break;
            }
            reader.finish();
        } else {
            reader.finish(Others::Pass);
            kindless_.insert(source.name);
        }
        out_.sources.push_back(std::move(source));
    }

    FilesSourceSettings read_files(TableReader& reader) const {
        FilesSourceSettings files;
        reader.text("path", Need::Required, rule::path, files.path);
        reader.texts("exclude", Need::Optional, rule::pattern, {0, excludes_max}, files.exclude);
        reader.flag("one_file_system", Need::Optional, files.one_file_system);
        const bool atomic = reader.choice("atomic", Need::Optional, atomic_choices, files.atomic);
        files.hook =
            read_hook(reader, files.atomic == Atomic::Hook ? Need::Required : Need::Optional);
        if (!atomic && !reader.has("atomic") && !files.hook.begin.empty()) {
            reader.complain("begin", "is given without atomic");
        }
        read_journal(reader, files);
        not_here(reader, postgres_keys, "postgres");
        not_here(reader, output_keys, "command");
        return files;
    }

    void read_journal(TableReader& reader, FilesSourceSettings& files) const {
        reader.flag("journal", Need::Optional, files.journal);
        reader.duration("journal_proof", Need::Optional, files.journal_proof_ms);
        if (!files.journal) {
            if (reader.has("journal_proof")) {
                reader.complain("journal_proof", "is given without journal = true");
            }
            return;
        }
        if (out_.opening_keys == OpeningKeys::Locked) {
            reader.complain("journal", "does not help a locked system, which is read whole");
        }
        if (files.atomic == Atomic::Btrfs) {
            reader.complain("journal", "needs ext4 or XFS, not btrfs");
        }
    }

    static SqliteSourceSettings read_sqlite(TableReader& reader) {
        SqliteSourceSettings sqlite;
        reader.text("path", Need::Required, rule::path, sqlite.path);
        not_here(reader, files_own_keys, "files");
        not_here(reader, postgres_keys, "postgres");
        not_here(reader, output_keys, "command");
        hooks_not_here(reader);
        return sqlite;
    }

    /// A program's whole path, and arguments.
    static bool read_program(TableReader& reader, std::string_view key, Need need,
                             std::vector<std::string>& out) {
        std::vector<std::string> command;
        if (!reader.texts(key, need, rule::plain_argument, {1, arguments_max}, command)) {
            return false;
        }
        if (!command.front().starts_with('/')) {
            reader.complain(key, "starts with " + config::in_quotes(command.front()) +
                                     "; expected the whole path of a program, and each argument "
                                     "by itself");
            return false;
        }
        out = std::move(command);
        return true;
    }

    static HookSourceSettings read_hook(TableReader& reader, Need begin) {
        HookSourceSettings hook;
        const bool has_begin = reader.has("begin");
        read_program(reader, "begin", begin, hook.begin);
        read_program(reader, "end", Need::Optional, hook.end);
        reader.duration("hook_timeout", Need::Optional, hook.timeout_ms);
        for (const std::string_view key : {"end", "hook_timeout"}) {
            if (reader.has(key) && !has_begin) reader.complain(key, "is given without begin");
        }
        return hook;
    }

    static ImageSourceSettings read_image(TableReader& reader) {
        ImageSourceSettings image;
        reader.text("path", reader.has("begin") ? Need::Optional : Need::Required, rule::disk,
                    image.path);
        reader.text("file", Need::Optional, rule::file_name, image.file);
        image.hook = read_hook(reader, Need::Optional);
        not_here(reader, files_own_keys, "files");
        not_here(reader, postgres_keys, "postgres");
        not_here(reader, output_own_keys, "command");
        return image;
    }

    static LandingSourceSettings read_landing(TableReader& reader) {
        LandingSourceSettings landing;
        reader.text("path", Need::Required, rule::path, landing.path);
        reader.texts("exclude", Need::Optional, rule::pattern, {0, excludes_max}, landing.exclude);
        reader.duration("quiet", Need::Optional, landing.quiet_ms);
        reader.text("marker", Need::Optional, rule::file_name, landing.marker);
        reader.flag("immutable", Need::Optional, landing.immutable);
        reader.duration("keep_for", Need::Optional, landing.keep_ms);
        read_program(reader, "restore_hook", Need::Optional, landing.restore_hook);
        for (TableReader& one : reader.tables("expect", Need::Optional, expects_max)) {
            ExpectSettings expect;
            std::int64_t megabytes = 0;
            one.text("pattern", Need::Required, rule::pattern, expect.pattern);
            one.duration("every", Need::Required, expect.every_ms);
            one.number("megabytes_min", Need::Optional, {0, megabytes_max}, megabytes);
            expect.bytes_min = static_cast<std::uint64_t>(megabytes) * 1'000'000;
            one.finish();
            landing.expect.push_back(std::move(expect));
        }
        not_here(reader, postgres_keys, "postgres");
        not_here(reader, output_keys, "command");
        hooks_not_here(reader);
        return landing;
    }

    static CommandSourceSettings read_output(TableReader& reader) {
        CommandSourceSettings output;
        read_program(reader, "command", Need::Required, output.command);
        reader.text("file", Need::Optional, rule::file_name, output.file);
        reader.duration("timeout", Need::Optional, output.timeout_ms);
        not_here(reader, files_keys, "files");
        not_here(reader, postgres_keys, "postgres");
        hooks_not_here(reader);
        return output;
    }

    static void read_stream(TableReader& reader, PostgresSourceSettings& postgres) {
        reader.duration("stream", Need::Optional, postgres.stream_ms);
        std::int64_t gibibytes = 0;
        const bool limited =
            reader.number("stream_log_max", Need::Optional, {1, stream_gib_max}, gibibytes);
        if (limited) postgres.stream_log_bytes_max = static_cast<std::uint64_t>(gibibytes) << 30;
        if (limited && postgres.stream_ms == 0) {
            reader.complain("stream_log_max", "means nothing without stream");
        }
    }

    static PostgresSourceSettings read_postgres(TableReader& reader) {
        PostgresSourceSettings postgres;
        reader.text("host", Need::Required, rule::host, postgres.host);
        reader.port("port", Need::Optional, postgres.port);
        reader.text("user", Need::Optional, rule::role, postgres.user);
        reader.text("passfile", Need::Optional, rule::path, postgres.passfile);
        std::string_view sslmode = postgres.sslmode;
        reader.choice("sslmode", Need::Optional, sslmodes, sslmode);
        postgres.sslmode = std::string(sslmode);
        reader.text("sslrootcert", Need::Optional, rule::path, postgres.sslrootcert);
        read_stream(reader, postgres);
        not_here(reader, files_keys, "files");
        not_here(reader, output_keys, "command");
        hooks_not_here(reader);
        return postgres;
    }

    void read_plan() {
        auto reader = root_.table("plan", Need::Optional);
        if (!reader) return;
        PlanSettings& plan = out_.plan.emplace();
        reader->text("runtime", Need::Required, rule::name, plan.runtime);
        reader->texts("hosts", Need::Optional, rule::line, {0, hosts_max, true}, plan.hosts);
        reader->finish();
    }

    void read_check(TableReader& reader) {
        CheckSettings check;
        CheckKind kind{};
        if (reader.text("name", Need::Required, rule::line, check.name)) {
            check_names_.use(reader, "name", check.name);
            call_by_name(reader, check.name);
        }
        if (reader.choice("kind", Need::Required, check_kinds, kind)) {
            switch (kind) {
                case CheckKind::Sql:
                    check.of = read_sql(reader);
                    break;
                case CheckKind::Command:
                    check.of = read_command(reader);
                    break;
            }
            reader.finish();
        } else {
            reader.finish(Others::Pass);
        }
        out_.checks.push_back(std::move(check));
    }

    SqlCheckSettings read_sql(TableReader& reader) {
        SqlCheckSettings sql;
        if (reader.text("source", Need::Required, rule::name, sql.source)) {
            expect_source(reader, sql.source);
            const SourceSettings* const source = out_.source(sql.source);
            if (source != nullptr && source->kind() != "postgres" &&
                !kindless_.contains(sql.source)) {
                reader.complain("source", "is " + config::in_quotes(sql.source) + ", of kind " +
                                              config::in_quotes(source->kind()) +
                                              "; sql needs a source of kind "
                                              "\"postgres\"");
            }
        }
        reader.text("query", Need::Required, rule::query, sql.query);
        reader.text("expect", Need::Required, rule::expectation, sql.expect);
        not_here(reader, command_keys, "command");
        return sql;
    }

    static CommandCheckSettings read_command(TableReader& reader) {
        CommandCheckSettings command;
        reader.text("command", Need::Required, rule::name, command.command);
        not_here(reader, sql_keys, "sql");
        return command;
    }

    void read_endpoint(TableReader& reader) {
        EndpointSettings endpoint;
        if (reader.text("name", Need::Required, rule::name, endpoint.name)) {
            endpoint_names_.use(reader, "name", endpoint.name);
            call_by_name(reader, endpoint.name);
        }
        if (reader.text("source", Need::Required, rule::name, endpoint.source)) {
            expect_source(reader, endpoint.source);
        }
        reader.port("port", Need::Required, endpoint.port);
        if (reader.text("relay", Need::Optional, rule::bound, endpoint.relay)) {
            relays_.use(reader, "relay", endpoint.relay);
        }
        reader.choice("probe", Need::Optional, probe_kinds, endpoint.probe);
        reader.finish();
        out_.endpoints.push_back(std::move(endpoint));
    }

    void read_fence() {
        auto reader = root_.table("fence", beside_plan());
        if (!reader) return;
        FenceSettings& fence = out_.fence.emplace();
        const bool known = reader->choice("kind", Need::Required, fence_kinds, fence.kind);
        const bool asks = known && fence.kind == FenceKind::Attested;
        reader->text("say", asks ? Need::Required : Need::Optional, rule::sentence, fence.say);
        reader->finish();
    }

    void expect_source(TableReader& reader, const std::string& name) {
        if (nameless_source_) return;  // It may be that one: no second mistake for the first.
        std::vector<std::string_view> names;
        for (const SourceSettings& source : out_.sources) names.push_back(source.name);
        reader.expect_one_of("source", name, names, "[[source]]");
    }

    TableReader root_;
    SystemSettings out_;
    bool nameless_source_ = false;
    std::set<std::string> kindless_;  // Sources whose kind is a mistake already told.
    UsedNames source_names_, check_names_, endpoint_names_, relays_;
};

}  // namespace

std::string_view SourceSettings::kind() const {
    struct Word {
        std::string_view operator()(const FilesSourceSettings&) const { return "files"; }
        std::string_view operator()(const PostgresSourceSettings&) const { return "postgres"; }
        std::string_view operator()(const SqliteSourceSettings&) const { return "sqlite"; }
        std::string_view operator()(const CommandSourceSettings&) const { return "command"; }
        std::string_view operator()(const ImageSourceSettings&) const { return "image"; }
        std::string_view operator()(const LandingSourceSettings&) const { return "landing"; }
    };
    return std::visit(Word{}, of);
}

const SourceSettings* SystemSettings::source(std::string_view source_name) const {
    const auto found = std::find_if(sources.begin(), sources.end(),
                                    [&](const auto& one) { return one.name == source_name; });
    return found == sources.end() ? nullptr : &*found;
}

Result<SystemSettings> parse_system(std::string text, const std::string& file) {
    const config::Value document =
        HF_TRY(config::parse_document(text, file, system_file_bytes_max));
    config::Mistakes mistakes(file);
    SystemSettings settings = SystemReader(TableReader(document, "", mistakes)).read();
    if (!mistakes.none()) return std::move(mistakes).error();
    settings.text = std::move(text);
    return settings;
}

}  // namespace holdfast::agent
