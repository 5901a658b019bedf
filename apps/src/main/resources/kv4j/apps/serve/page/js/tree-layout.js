/** Where the runs of a tree go: positions in tokens from left to right, a row for each branch. */

/** Children shown below one run; others are folded. */
export const MOST_CHILDREN = 24;

/**
 * Lays a tree out.
 *
 * @param unfolded parents of which all children are shown (0: of the tops)
 * @param found ids of runs that are searched for, which are not folded; or null
 * @returns {items, rows, end, depth}: items of {run} or {fold, parent, runs, bytes}, each with its
 *     row, its parent's item and its depth; and the sizes of the whole
 */
export function layOut(store, unfolded, found) {
  const items = [];
  let rows = 0;
  let end = 0;
  let depth = 0;
  const paths = found && onPaths(store, found);

  // Depth first without recursion, as trees may be deep: the first child goes on in its parent's row.
  const pending = [];
  const push = (parentId, ids, above) => {
    const shown = unfolded.has(parentId) ? ids : chosen(store, ids, paths);
    if (shown.length < ids.length) {
      pending.push({ fold: hidden(store, ids, shown), parentId, above });
    }
    for (let i = shown.length - 1; i >= 0; i--) {
      pending.push({ run: store.runs.get(shown[i]), above, first: i === 0 });
    }
  };
  push(0, [...store.tops], null);
  while (pending.length > 0) {
    const { run, above, first, fold, parentId } = pending.pop();
    const row = above && first ? above.row : rows++;
    const level = above ? above.depth + 1 : 0;
    depth = Math.max(depth, level);
    if (fold) {
      items.push({ fold, parentId, above, row, depth: level, start: above ? above.run.start + above.run.texts.length : 0 });
      continue;
    }
    const item = { run, above, row, depth: level, start: run.start };
    items.push(item);
    end = Math.max(end, run.start + run.texts.length);
    push(run.id, run.children, item);
  }
  return { items, rows, end, depth };
}

/** Of many siblings those that were used last, in their own order. */
function chosen(store, ids, paths) {
  if (ids.length <= MOST_CHILDREN) {
    return ids;
  }
  const latest = new Set(
    [...ids].sort((a, b) => store.runs.get(b).used - store.runs.get(a).used).slice(0, MOST_CHILDREN - 1));
  return ids.filter((id) => latest.has(id) || paths?.has(id));
}

/** How many runs are folded, and their bytes. */
function hidden(store, ids, shown) {
  const kept = new Set(shown);
  const pending = ids.filter((id) => !kept.has(id));
  const fold = { branches: pending.length, runs: 0, bytes: 0 };
  while (pending.length > 0) {
    const run = store.runs.get(pending.pop());
    fold.runs++;
    fold.bytes += run.bytes;
    for (const child of run.children) {
      pending.push(child);
    }
  }
  return fold;
}

function onPaths(store, found) {
  const paths = new Set();
  found.forEach((id) => store.path(id).forEach((run) => paths.add(run.id)));
  return paths;
}

/** What tells an item from all others, in this layout and later ones. */
export const keyOf = (item) => (item.fold ? `fold ${item.parentId}` : `run ${item.run.id}`);

/** The item that a key of the keyboard leads to from another; undefined if there is none. */
export function neighbour(items, item, key) {
  const inOrder = [...items].sort((a, b) => a.row - b.row || a.depth - b.depth);
  const at = inOrder.indexOf(item);
  return {
    ArrowDown: inOrder[at + 1],
    ArrowUp: inOrder[at - 1],
    ArrowLeft: item.above,
    ArrowRight: items.find((other) => other.above === item),
    Home: inOrder[0],
    End: inOrder.at(-1),
  }[key];
}

/** Ids of runs with a text in them, in lower case; null if there is no text. */
export function search(store, wanted) {
  if (wanted === "") {
    return null;
  }
  const found = new Set();
  for (const run of store.runs.values()) {
    // It may begin in the run above and end in this one.
    const above = wanted.length > 1 ? store.runs.get(run.parent) : undefined;
    const before = above ? above.texts.slice(-wanted.length).join("").slice(1 - wanted.length) : "";
    if ((before + run.texts.join("")).toLowerCase().includes(wanted)) {
      found.add(run.id);
    }
  }
  return found;
}
