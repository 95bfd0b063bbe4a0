#include "vault/snapshot/refs_walk.h"

#include "vault/snapshot/extent.h"
#include "vault/snapshot/leaf.h"

namespace holdfast::vault {
namespace {

Result<void> visit_extents(const Extents& extents, const VisitRef& visit) {
    for (const Extent& extent : extents) {
        if (!extent.hole()) HF_TRY(visit(extent.chunk, RefTo::Content));
    }
    return {};
}

}  // namespace

Result<void> visit_refs(const ChunkId& leaf, ChunkReader& chunks, const VisitRef& visit) {
    const auto content = HF_TRY(chunks.read(leaf));
    for (const ContentParts& item : HF_TRY(parse_refs_leaf(*content))) {
        HF_TRY(visit_extents(item.extents, visit));
        for (const ContentParts::Part& part : item.parts) {
            HF_TRY(visit(part.chunk, RefTo::Part));
            const auto part_content = HF_TRY(chunks.read(part.chunk));
            ByteReader in(*part_content);
            HF_TRY(visit_extents(HF_TRY(parse_extents(in)), visit));
        }
    }
    return {};
}

}  // namespace holdfast::vault
