package kv4j.apps.html;

import java.util.List;

/**
 * A request's tokens in order.
 *
 * @param title one line
 * @param cached texts of the prompt's tokens that the cache had
 * @param computed those of the rest of the prompt
 * @param generated those of the answer
 */
public record TokenStrip(
    String title, List<String> cached, List<String> computed, List<String> generated) {}
