/**
 * Requests to try, in pairs: the first leaves something in the cache, the second is a little different.
 * What they cost depends on what is different, and where.
 */

const RULES = [
  "You are Mara, the help desk of Alderbrook. If a fact is not here, say that you do not know.",
  "The Millbrook library opens at 9:30. The Millbrook library stays open until 18:45.",
  "The Millbrook library is closed on Monday. Clara Birchwood runs the Millbrook library.",
  "Books are lent for three weeks, films and games for one. There are no fines for late returns.",
  "You may borrow the folding ladder for 5 days. The folding ladder is kept in the tool shed.",
  "Lost cards are replaced at any desk. Never ask for a secret word.",
];

const FIRST = "When does the Millbrook library open?";
const SECOND = "Until when is the Millbrook library open?";

/** The model that is trained to answer from such rules, and knows nothing else. */
const DEMO = "demo-32";

/** Rules as long as the model's context allows for: a token may be as little as a byte. */
const rules = (context) => RULES.slice(0, context < 1500 ? 2 : RULES.length).join(" ");

const TOOLS = ["find_book", "open_hours"].map((name, i) => ({
  type: "function",
  function: {
    name,
    description: i === 0 ? "Finds a book by its title." : "Says when the library is open.",
    parameters: { type: "object", properties: { text: { type: "string" } } },
  },
}));

const chat = (system, ...turns) => ({
  messages: [
    { role: "system", content: system },
    ...turns.map((content, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content })),
  ],
});

/** The messages that a conversation begins with. */
export const beginning = (model) =>
  model?.id === DEMO ? [{ role: "system", content: rules(model.context) }] : [];

/** What is written where a message goes. */
export const hint = (model) => (model?.id === DEMO ? FIRST : "Ask the model something");

/**
 * The pairs.
 *
 * @param model as the snapshot describes it
 */
export function experiments(model) {
  const system = rules(model.context);
  const stamped = (minute) => `Now: 2026-03-02 09:4${minute}. ${system}`;
  const tools = (order) => {
    const ordered = order.map((i) => TOOLS[i]);
    return model.tools
      ? { ...chat(system, FIRST), tools: ordered }
      : chat(`Tools: ${JSON.stringify(ordered.map((tool) => tool.function.name))} ${system}`, FIRST);
  };
  return [
    {
      id: "prefix", name: "Share a prefix",
      says: "The same instructions with another question: only the question is computed.",
      requests: [chat(system, FIRST), chat(system, SECOND)],
    },
    {
      id: "timestamp", name: "Time at the front",
      says: "A clock in the first line: one minute later, all that follows it is computed again.",
      requests: [chat(stamped(1), FIRST), chat(stamped(2), FIRST)],
    },
    {
      id: "tools", name: "Two tools swapped",
      says: "The same two tools in another order: they stand before the conversation, so none of it matches.",
      requests: [tools([0, 1]), tools([1, 0])],
    },
    {
      id: "history", name: "Edited history",
      says: "An earlier turn is written differently: what came after it is computed again.",
      requests: [
        chat(system, FIRST, "The Millbrook library opens at 9:30.", SECOND),
        chat(system, FIRST, "It opens at 9:30.", SECOND),
      ],
    },
    {
      id: "salt", name: "Another salt",
      says: "The same text under another cache_salt, as another tenant would send it: nothing is shared.",
      requests: [
        { ...chat(system, FIRST), cache_salt: "one" },
        { ...chat(system, FIRST), cache_salt: `another ${Date.now()}` },
      ],
    },
  ];
}
