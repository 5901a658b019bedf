package kv4j.apps.facts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FactsTest {
  private static final List<String> MADE_UP =
      List.of("person", "town", "service", "street", "file");
  private static final Exam.Size SIZE = new Exam.Size(20, 10, 5, 5, 20);

  private static Attribute attribute(Kind kind, String name) {
    return Attribute.of(kind).stream().filter(a -> a.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void templatesBecomeSentences() {
    Entity person = new Entity(Kind.PERSON, "Mara Ashford", Pronoun.SHE);
    Attribute manager = attribute(Kind.PERSON, "manager");
    assertEquals(
        "Mara Ashford reports to Tobias Reed.", new Fact(person, manager, "Tobias Reed").answer());
    assertEquals("Who is her manager?", person.asPronounIn("Who is {name's} manager?"));
    assertEquals("Who is Mara Ashford's manager?", person.in("Who is {name's} manager?"));
    Entity object = new Entity(Kind.OBJECT, "the copper kettle", Pronoun.IT);
    assertEquals(
        "The copper kettle costs 47 dollars.",
        new Fact(object, attribute(Kind.OBJECT, "price"), "47").answer());
  }

  /** Names of whom facts are about, and those that facts have as values. */
  private static Set<String> names(Split split, int pages) {
    Set<String> names = new HashSet<>();
    for (int seed = 0; seed < pages; seed++) {
      Page page = Page.of(30, 0, split, new Draw(seed));
      for (Fact fact : page.facts()) {
        names.add(fact.entity().name());
        if (MADE_UP.contains(fact.attribute().value())) {
          names.add(fact.value());
        }
      }
    }
    return names;
  }

  @Test
  void namesOfTestsAreNeverTrainedWith() {
    Set<String> training = names(Split.TRAINING, 3000);
    Set<String> heldOut = names(Split.HELD_OUT, 500);
    assertTrue(training.size() > 20_000 && heldOut.size() > 4000, heldOut.size() + " held out");
    assertTrue(Collections.disjoint(training, heldOut));
  }

  @Test
  void seedsGiveTextsOfTheirOwn() {
    Set<String> pages =
        IntStream.range(0, 200)
            .mapToObj(n -> Exam.of(SIZE, 3, n).page())
            .collect(Collectors.toSet());
    assertEquals(200, pages.size());
    assertEquals(Exam.of(SIZE, 3, 0), Exam.of(SIZE, 3, 0));
  }

  @Test
  void pagesSayWhatTheirFactsAre() {
    for (int seed = 0; seed < 100; seed++) {
      Page page = Page.of(20, 10, Split.HELD_OUT, new Draw(seed));
      List<String> sentences = List.of(page.text().toLowerCase(Locale.ROOT).split("\\.\\s"));
      for (Fact fact : page.facts()) {
        String name = fact.entity().name().toLowerCase(Locale.ROOT);
        String value = fact.value().toLowerCase(Locale.ROOT);
        assertTrue(
            sentences.stream().anyMatch(s -> s.contains(name) && s.contains(value)),
            fact + " in " + page.text());
      }
    }
  }

  @Test
  void answersAreFactsOfThePageUnlessTheyAreMissing() {
    for (int seed = 0; seed < 100; seed++) {
      Draw draw = new Draw(seed);
      Page page = Page.of(20, 10, Split.HELD_OUT, draw);
      Set<String> answers = page.facts().stream().map(Fact::answer).collect(Collectors.toSet());
      Interview interview = new Interview(page, draw);
      for (int i = 0; i < 50; i++) {
        Turn turn = interview.next();
        switch (turn.form()) {
          case DIRECT, FOLLOW_UP -> assertTrue(answers.contains(turn.answer()), turn.toString());
          case MISSING -> assertEquals("I do not know.", turn.answer());
          case SMALL_TALK -> assertFalse(answers.contains(turn.answer()));
        }
      }
    }
  }

  @Test
  void everyFactIsAskedForBeforeAnyIsAgain() {
    Draw draw = new Draw(5);
    Page page = Page.of(30, 0, Split.TRAINING, draw);
    Interview interview = new Interview(page, draw);
    List<String> answers =
        IntStream.range(0, 30).mapToObj(i -> interview.direct().answer()).sorted().toList();
    assertEquals(page.facts().stream().map(Fact::answer).sorted().toList(), answers);
  }
}
