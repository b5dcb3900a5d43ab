package example.judge;

import build.buf.protovalidate.Config;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.exceptions.ValidationException;
import build.buf.validate.FieldPath;
import build.buf.validate.FieldPathElement;
import build.buf.validate.Violation;
import com.google.gson.Gson;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * Judges messages by the rules of buf.validate in a descriptor set, with protovalidate-java.
 *
 * <pre>java -cp "target/classes:target/lib/*" example.judge.Main SET ASKED</pre>
 *
 * <p>ASKED has a line for each message: the name of its type, a blank, the message in base64. For each one a line of
 * JSON comes out: {"paths": [...]} with the fields that break a rule, or {"error": "..."} when it cannot be judged. It
 * is what tests/contract/validation/judge.py does in Python.
 */
public final class Main {
    private Main() {}

    /** Judges the messages of a file. */
    public static void main(String[] args) throws Exception {
        if (args.length != 2) {
            System.err.println("usage: Main SET ASKED");
            System.exit(2);
        }
        var types = Types.read(Path.of(args[0]));
        // The predefined rules are extensions that only the set knows.
        var config = Config.newBuilder()
                .setTypeRegistry(types.registry())
                .setExtensionRegistry(types.extensions())
                .build();
        var validator = ValidatorFactory.newBuilder().withConfig(config).build();
        var json = new Gson();
        for (String line : Files.readAllLines(Path.of(args[1]))) {
            System.out.println(json.toJson(judge(validator, types, line)));
        }
    }

    private static Map<String, Object> judge(Validator validator, Types types, String line) throws IOException {
        String[] parts = line.split(" ", 2);
        try {
            var bytes = Base64.getDecoder().decode(parts[1]);
            var message = DynamicMessage.parseFrom(types.message(parts[0]), bytes);
            List<String> paths = new ArrayList<>();
            for (Violation violation : validator.validate(message).toProto().getViolationsList()) {
                paths.add(path(violation.getField()));
            }
            return Map.of("paths", paths);
        } catch (InvalidProtocolBufferException | ValidationException error) {
            return Map.of("error", String.valueOf(error));
        }
    }

    /** The field as a path: line_items[0].sku. Empty for the message itself. */
    private static String path(FieldPath field) {
        var path = new StringBuilder();
        for (FieldPathElement element : field.getElementsList()) {
            if (!path.isEmpty()) {
                path.append('.');
            }
            path.append(element.getFieldName());
            if (element.hasIndex()) {
                path.append('[').append(element.getIndex()).append(']');
            }
        }
        return path.toString();
    }
}
