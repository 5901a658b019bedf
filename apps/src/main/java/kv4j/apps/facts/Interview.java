package kv4j.apps.facts;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** Asks about a page, turn by turn. */
final class Interview {
  private static final double MISSING = 0.2;
  private static final double FOLLOW_UP = 0.35;
  private static final double SMALL_TALK = 0.04;
  private static final double SMALL_TALK_WITHOUT_FACTS = 0.7;

  /** Of follow-ups, those that stay with whom the last turn was about. */
  private static final double SAME_ENTITY = 0.6;

  /** Of questions for what is missing, those about somebody who is on the page. */
  private static final double KNOWN_ENTITY = 0.6;

  /** Of those about strangers, the ones for what the page says of others. */
  private static final double KNOWN_ATTRIBUTE = 0.7;

  private final Page page;
  private final Draw draw;
  private final Names names;
  private final List<Entity> entities;
  private final Deque<Fact> unasked = new ArrayDeque<>();
  private Entity lastEntity; // null: the last turn was about nobody on the page
  private Attribute lastAttribute; // null: the last turn was about no attribute

  Interview(Page page, Draw draw) {
    this.page = page;
    this.draw = draw;
    names = new Names(page.split(), draw);
    entities = List.copyOf(page.entities());
  }

  /** The next question, which may refer to the one before. */
  Turn next() {
    boolean nothingToAsk = page.facts().isEmpty();
    if (draw.chance(nothingToAsk ? SMALL_TALK_WITHOUT_FACTS : SMALL_TALK)) {
      return smallTalk();
    }
    if (lastAttribute != null && draw.chance(FOLLOW_UP)) {
      Optional<Turn> followUp =
          lastEntity != null && draw.chance(SAME_ENTITY) ? sameEntity() : sameAttribute();
      if (followUp.isPresent()) {
        return followUp.get();
      }
    }
    return nothingToAsk || draw.chance(MISSING) ? missing() : direct();
  }

  /** Asks by name for what the page says; for each of its facts before any of them again. */
  Turn direct() {
    if (unasked.isEmpty()) {
      List<Fact> facts = new ArrayList<>(page.facts());
      draw.shuffle(facts);
      unasked.addAll(facts);
    }
    Fact fact = unasked.pop();
    return byName(fact.entity(), fact.attribute(), true);
  }

  /** Asks by name for what the page does not say. */
  Turn missing() {
    if (!entities.isEmpty() && draw.chance(KNOWN_ENTITY)) {
      Entity entity = draw.from(entities);
      Attribute attribute = draw.from(Attribute.of(entity.kind()));
      if (page.answer(entity, attribute).equals(Turn.UNKNOWN)) {
        return byName(entity, attribute, true);
      }
    }
    Attribute attribute =
        !entities.isEmpty() && draw.chance(KNOWN_ATTRIBUTE)
            ? draw.from(page.facts()).attribute()
            : draw.from(Attribute.ALL);
    return byName(stranger(attribute.kind()), attribute, false);
  }

  private Turn byName(Entity entity, Attribute attribute, boolean known) {
    String question = entity.in(draw.from(attribute.questions()));
    return turn(Turn.Form.DIRECT, question, entity, attribute, known);
  }

  /** Another attribute of whom the last turn was about; empty if the page says nothing else. */
  private Optional<Turn> sameEntity() {
    List<Attribute> others =
        (draw.chance(MISSING)
                ? Attribute.of(lastEntity.kind()).stream()
                : page.facts().stream()
                    .filter(fact -> fact.entity().equals(lastEntity))
                    .map(Fact::attribute))
            .filter(attribute -> attribute != lastAttribute)
            .toList();
    if (others.isEmpty()) {
      return Optional.empty();
    }
    Attribute attribute = draw.from(others);
    String question =
        draw.chance(0.5)
            ? lastEntity.asPronounIn(draw.from(attribute.questions()))
            : draw.phrase("also").replace("{About}", lastEntity.asPronounIn(attribute.phrase()));
    return Optional.of(followUp(question, lastEntity, attribute, true));
  }

  /** The last attribute of somebody else; empty if the page says it of nobody else. */
  private Optional<Turn> sameAttribute() {
    boolean known = !draw.chance(MISSING);
    List<Entity> others =
        page.facts().stream()
            .filter(fact -> fact.attribute() == lastAttribute)
            .map(Fact::entity)
            .filter(entity -> !entity.equals(lastEntity))
            .toList();
    if (known && others.isEmpty()) {
      return Optional.empty();
    }
    Entity entity = known ? draw.from(others) : stranger(lastAttribute.kind());
    String question = draw.phrase("also").replace("{About}", entity.name());
    return Optional.of(followUp(question, entity, lastAttribute, known));
  }

  private Turn followUp(String question, Entity entity, Attribute attribute, boolean known) {
    return turn(Turn.Form.FOLLOW_UP, question, entity, attribute, known);
  }

  /**
   * @param known whether a pronoun may refer to it from now on
   */
  private Turn turn(
      Turn.Form form, String question, Entity entity, Attribute attribute, boolean known) {
    lastEntity = known ? entity : null;
    lastAttribute = attribute;
    String answer = page.answer(entity, attribute);
    boolean missing = answer.equals(Turn.UNKNOWN);
    return new Turn(missing ? Turn.Form.MISSING : form, Draw.capitalized(question), answer);
  }

  private Entity stranger(Kind kind) {
    Entity entity = names.entity(kind);
    while (entities.contains(entity)) {
      entity = names.entity(kind);
    }
    return entity;
  }

  private Turn smallTalk() {
    lastEntity = null;
    lastAttribute = null;
    return SmallTalk.turn(draw);
  }
}
