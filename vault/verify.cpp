#include "vault/verify.h"

#include "vault/base/throttle.h"
#include "vault/base/worker_pool.h"
#include "vault/chunk/codec.h"
#include "vault/pack/pack_writer.h"
#include "vault/verify_tree.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

namespace holdfast::vault {
namespace {

/// One worker's tools.
struct Checker {
    explicit Checker(const KeySource& keys) : opener(keys) {}
    ChunkOpener opener;
    Decoder decoder;
};

class Verifier {
public:
    Verifier(VaultReader& reader, const VerifySettings& settings)
        : reader_(&reader), settings_(&settings) {}

    Result<VerifyReport> run();

private:
    Result<void> check_epochs();
    Result<void> collect_packs();
    Result<void> choose_packs();
    Result<void> check_packs();
    void check_one(const PackId& id, Checker& checker);
    Result<void> check_file(const PackId& id, Checker& checker);
    Result<void> note_checked(const PackId& id);
    ChunkIndex::Checked how_checked() const {
        return settings_->read_data ? ChunkIndex::Checked::Opened : ChunkIndex::Checked::Bytes;
    }
    Result<void> open_chunks(const PackId& id, View file, Checker& checker);
    Result<void> open_segment(const DirectorySegment& segment, View file, std::uint64_t& at,
                              Checker& checker);
    Result<void> note(const std::string& object, Result<void> result);

    VaultReader* reader_;
    const VerifySettings* settings_;
    std::set<PackId> all_packs_;
    std::vector<PackId> packs_;  // To be checked now.
    std::mutex mutex_;           // Guards report_ and failed_ while workers run.
    VerifyReport report_;
    std::optional<Error> failed_;
};

Result<void> Verifier::note(const std::string& object, Result<void> result) {
    const std::lock_guard lock(mutex_);
    return take_damage(report_, object, std::move(result));
}

Result<VerifyReport> Verifier::run() {
    report_.damage = reader_->notes();
    HF_TRY(check_epochs());
    HF_TRY(collect_packs());
    HF_TRY(choose_packs());
    HF_TRY(check_packs());
    if (settings_->read_data && settings_->sample_percent >= 100) {
        TreeCheck trees(*reader_, report_);
        for (const SnapshotRecord& record : reader_->snapshots()) {
            HF_TRY(note("snapshot " + record.id.hex(), trees.check(record)));
        }
    }
    return std::move(report_);
}

Result<void> Verifier::check_epochs() {
    const Store& store = reader_->store();
    return store.list("epoch/", [&](const std::string& name) -> Result<void> {
        const auto check = [&]() -> Result<void> {
            const EpochId id{HF_TRY(sealed_name(name)).id.digest};
            HF_TRY(parse_epoch(HF_TRY(store.get_all(name, epoch_object_max)), id));
            return {};
        };
        return note(name, check());
    });
}

Result<void> Verifier::collect_packs() {
    for (const SnapshotRecord& record : reader_->snapshots()) {
        ++report_.snapshots;
        auto packs = reader_->packs_of(record);
        if (packs) {
            all_packs_.insert(packs->begin(), packs->end());
        } else {
            HF_TRY(note(list_name(record.list), std::move(packs).error()));
        }
    }
    return {};
}

/// By when they were checked, longest ago first; as many as the sample has.
Result<void> Verifier::choose_packs() {
    const bool asks = settings_->skip_since_ms != 0 || settings_->sample_percent < 100;
    std::vector<std::pair<std::int64_t, PackId>> by_age;
    for (const PackId& id : all_packs_) {
        const std::int64_t when = asks ? HF_TRY(reader_->index().checked_ms(id, how_checked())) : 0;
        const bool lately = settings_->skip_since_ms != 0 && when >= settings_->skip_since_ms;
        if (!lately) by_age.emplace_back(when, id);
    }
    if (settings_->sample_percent < 100) {
        std::sort(by_age.begin(), by_age.end());
        const std::size_t wanted = (all_packs_.size() * settings_->sample_percent + 99) / 100;
        by_age.resize(std::min(by_age.size(), wanted));
    }
    for (const auto& [when, id] : by_age) packs_.push_back(id);
    report_.packs_skipped = all_packs_.size() - packs_.size();
    if (settings_->progress != nullptr) settings_->progress->packs_all = packs_.size();
    return {};
}

Result<void> Verifier::check_packs() {
    std::vector<Checker> checkers;
    for (unsigned i = 0; i < settings_->workers; ++i) checkers.emplace_back(reader_->keys());
    Throttle throttle(settings_->bytes_per_second_max);
    WorkerPool pool(settings_->workers, settings_->workers + 1);
    for (const PackId& id : packs_) {
        if (settings_->progress != nullptr && settings_->progress->stop) {
            return Error{Errc::Interrupted, "stopped before all packs were verified"};
        }
        const auto bytes = reader_->store().size(pack_name(id));
        if (bytes) throttle.spend(*bytes);
        pool.submit([this, id, &checkers](unsigned worker) { check_one(id, checkers[worker]); });
    }
    pool.drain();
    if (failed_) return *failed_;
    return {};
}

void Verifier::check_one(const PackId& id, Checker& checker) {
    auto checked = check_file(id, checker);
    auto marked = checked ? note_checked(id) : reader_->index().mark_bad(id);
    auto done = note(pack_name(id), std::move(checked));
    const std::lock_guard lock(mutex_);
    if (!done && !failed_) failed_ = done.error();
    if (!marked && !failed_) failed_ = marked.error();
    ++report_.packs;
    if (settings_->progress != nullptr) ++settings_->progress->packs_done;
}

Result<void> Verifier::note_checked(const PackId& id) {
    if (settings_->clock == nullptr) return {};
    return reader_->index().set_checked(id, how_checked(), settings_->clock->wall_ms());
}

Result<void> Verifier::check_file(const PackId& id, Checker& checker) {
    const Buffer file = HF_TRY(reader_->store().get_all(pack_name(id), pack_bytes_max));
    {
        const std::lock_guard lock(mutex_);
        report_.bytes += file.size();
    }
    if (settings_->progress != nullptr) settings_->progress->bytes_done += file.size();
    if (file.size() < pack_bytes_min || pack_id_of(file) != id) {
        return Error{Errc::Corrupt, "its bytes are not those of its name"};
    }
    if (!settings_->read_data) return {};
    return open_chunks(id, file, checker);
}

Result<void> Verifier::open_chunks(const PackId& id, View file, Checker& checker) {
    const Directory directory = HF_TRY(open_directory(reader_->store(), id, reader_->keys()));
    std::uint64_t at = pack_header_bytes;
    for (const DirectorySegment& segment : directory.segments) {
        HF_TRY(open_segment(segment, file, at, checker));
    }
    return {};
}

Result<void> Verifier::open_segment(const DirectorySegment& segment, View file, std::uint64_t& at,
                                    Checker& checker) {
    const Naming* naming = nullptr;
    if (settings_->namings != nullptr) {
        const auto found = settings_->namings->find(segment.name.domain);
        if (found != settings_->namings->end()) naming = found->second;
    }
    std::uint64_t number = 0;
    Buffer content;
    for (const DirectoryChunk& chunk : segment.chunks) {
        const View sealed = file.subspan(at, chunk.sealed_bytes);
        const std::uint64_t n = std::exchange(number, number + chunk.numbers());
        at += chunk.sealed_bytes;
        if (chunk.is_gap()) continue;
        auto coded = checker.opener.open(segment.name, n, chunk.id, sealed);
        if (!coded && coded.error().code == Errc::Locked) {
            const std::lock_guard lock(mutex_);
            ++report_.content_not_opened;
            continue;
        }
        if (!coded) return std::move(coded).error();
        HF_TRY(checker.decoder.decode(*coded, chunk.content_bytes, content));
        if (naming != nullptr && naming->id(segment.name.kind, content) != chunk.id) {
            return Error{Errc::Corrupt, "a chunk's content is not that of its id"};
        }
        const std::lock_guard lock(mutex_);
        ++report_.chunks;
    }
    return {};
}

}  // namespace

Result<VerifyReport> verify(VaultReader& reader, const VerifySettings& settings) {
    return Verifier(reader, settings).run();
}

}  // namespace holdfast::vault
