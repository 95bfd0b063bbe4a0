// PUT /trusts/{trust}/objects/{name}: packs stream into a file, the rest is small.
#include "replicator/peer/tenancy_call.h"

namespace holdfast::replicator {
namespace {

constexpr std::size_t batch_bytes = 1_MiB;  // What of an upload is in memory at once.

/// A pack on its way: pieces are gathered on the loop and written by a worker, one batch at a time.
/// Shared by the callbacks of its body, which go at times of their own.
class PackArrival : public std::enable_shared_from_this<PackArrival> {
public:
    using Whole = Callback<void(Result<PackUpload>, Responder)>;

    PackArrival(WorkerPool& pool, PackUpload upload, BodyReader body, Responder respond,
                Whole whole)
        : pool_(&pool),
          upload_(std::move(upload)),
          body_(std::move(body)),
          respond_(std::move(respond)),
          whole_(std::move(whole)) {}

    void start() {
        body_.on_end([self = shared_from_this()] { self->flush(true); });
        body_.on_piece([self = shared_from_this()](View piece) {
            self->batch_.insert(self->batch_.end(), piece.begin(), piece.end());
            if (self->batch_.size() < batch_bytes) return;
            self->body_.pause();
            self->flush(false);
        });
    }

private:
    using Back = std::pair<PackUpload, Result<void>>;

    void flush(bool last) {
        const auto submitted = pool_->submit(
            [upload = std::move(upload_), batch = std::exchange(batch_, {}), last]() mutable {
                Result<void> done = upload.add(batch);
                if (done && last) done = upload.finish();
                return Back{std::move(upload), std::move(done)};
            },
            [self = shared_from_this(), last](Back back) {
                self->upload_ = std::move(back.first);
                self->flushed(std::move(back.second), last);
            });
        if (!submitted) flushed(refuse(Refusal::Busy, "too many uploads: try again later"), last);
    }

    void flushed(Result<void> done, bool last) {
        if (!done) return whole_(std::move(done).error(), std::move(respond_));
        if (last) return whole_(std::move(upload_), std::move(respond_));
        body_.resume();
    }

    WorkerPool* pool_;
    PackUpload upload_;
    BodyReader body_;
    Responder respond_;
    Whole whole_;
    Buffer batch_;
};

Result<std::optional<PackId>> pack_in(const std::string& name) {
    if (!name.starts_with("pack/")) return std::optional<PackId>{};
    const PackId id{HF_TRY(vault::id_in_name(name)).digest};
    if (vault::pack_name(id) == name) return std::optional(id);
    return Error{Errc::Invalid, name + ": a pack's name is pack/XX/PACK"};
}

/// `?list=given_up` of a ledger entry.
Result<EntryList> entry_list_in(const HttpRequest& request) {
    const std::string* const text = request.query_value("list");
    if (text == nullptr) return EntryList::Needed;
    if (*text == "given_up") return EntryList::GivenUp;
    return Error{Errc::Invalid, "list: expected \"given_up\""};
}

}  // namespace

void PeerApi::put_object(const HttpRequest& request, BodyReader body, Responder respond) {
    const auto owner = owner_of(request);
    if (!owner) return respond.send(refusal_response(owner.error()));
    const auto terms = terms_for(**owner);
    if (!terms) return respond.send(refusal_response(terms.error()));
    const std::string& name = request.param("name");
    if (request.content_length > Tenancy::bytes_max_of(name)) {
        return respond.send(refusal_response(
            refuse(Refusal::TooLong,
                   name + ": at most " + std::to_string(Tenancy::bytes_max_of(name)) + " bytes")));
    }
    const auto pack = pack_in(name);
    if (!pack) return respond.send(refusal_response(pack.error()));
    if (*pack) {
        put_pack(**owner, **pack, std::move(body), std::move(respond), *terms);
    } else {
        put_small(**owner, request, std::move(body), std::move(respond), *terms);
    }
}

void PeerApi::finish_put(const TrustId& owner, Result<Stored> stored,
                         const std::optional<vault::ChainHead>& head, Responder respond) {
    if (!stored) return respond.send(refusal_response(stored.error()));
    if (head) {
        HF_ASSERT(head->trust == owner);
        const auto witnessed = core_.promises.put_head(*head);
        if (!witnessed) return respond.send(refusal_response(witnessed.error()));
    }
    respond.send(json_response(*stored == Stored::New ? 201 : 200, "{}"));
}

void PeerApi::put_small(const Partner& owner, const HttpRequest& request, BodyReader body,
                        Responder respond, const Terms& terms) {
    const auto strand = core_.tenancies.of(owner);
    if (!strand) return respond.send(refusal_response(strand.error()));
    struct Arrival {
        BodyReader body;
        Responder respond;
        Buffer object;
    };
    using Answer = std::pair<Result<Stored>, std::optional<vault::ChainHead>>;
    // Shared by the two callbacks of the body.
    auto arrival = std::make_shared<Arrival>(Arrival{std::move(body), std::move(respond), {}});
    const auto list = entry_list_in(request);
    if (!list) return arrival->respond.send(refusal_response(list.error()));
    arrival->body.on_end([this, arrival, owner = owner.trust, strand = *strand,
                          name = request.param("name"), terms, list = *list] {
        strand->run(
            [object = std::move(arrival->object), name, terms, list](Tenancy& tenancy) {
                auto stored = tenancy.put(name, object, terms, list);
                return Answer{std::move(stored), tenancy.head_of_entry(name)};
            },
            [this, owner, arrival](Answer answer) {
                finish_put(owner, std::move(answer.first), answer.second,
                           std::move(arrival->respond));
            });
    });
    arrival->body.on_piece([arrival](View piece) {
        arrival->object.insert(arrival->object.end(), piece.begin(), piece.end());
    });
}

void PeerApi::put_pack(const Partner& owner, const PackId& id, BodyReader body, Responder respond,
                       const Terms& terms) {
    const auto strand = core_.tenancies.of(owner);
    if (!strand) return respond.send(refusal_response(strand.error()));
    const std::uint64_t length = body.length();
    auto whole = [this, owner = owner.trust, strand = *strand, terms](Result<PackUpload> upload,
                                                                      Responder responder) {
        if (!upload) return responder.send(refusal_response(upload.error()));
        strand->run(
            [upload = std::move(*upload), terms](Tenancy& tenancy) mutable {
                return tenancy.put_pack(std::move(upload), terms);
            },
            [this, owner, responder = std::move(responder)](Result<Stored> stored) mutable {
                finish_put(owner, std::move(stored), std::nullopt, std::move(responder));
            });
    };
    (*strand)->run(
        [id, length, terms](Tenancy& tenancy) { return tenancy.start_pack(id, length, terms); },
        [this, body = std::move(body), respond = std::move(respond),
         whole = std::move(whole)](Result<std::optional<PackUpload>> upload) mutable {
            if (!upload) return respond.send(refusal_response(upload.error()));
            if (!*upload) return respond.send(json_response(200, "{}"));
            const auto arrival =
                std::make_shared<PackArrival>(core_.pool, *std::move(*upload), std::move(body),
                                              std::move(respond), std::move(whole));
            arrival->start();
        });
}

}  // namespace holdfast::replicator
