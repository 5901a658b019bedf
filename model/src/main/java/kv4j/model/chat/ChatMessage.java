package kv4j.model.chat;

/**
 * One message of a conversation.
 *
 * @param role who speaks: {@code system}, {@code user}, {@code assistant}, or what else the model
 *     knows
 * @param content what is said
 */
public record ChatMessage(String role, String content) {
  /**
   * Checks that there is a role.
   *
   * @throws IllegalArgumentException if the role is blank or the content null
   */
  public ChatMessage {
    if (role == null || role.isBlank() || content == null) {
      throw new IllegalArgumentException("a chat message needs a role and a content");
    }
  }
}
