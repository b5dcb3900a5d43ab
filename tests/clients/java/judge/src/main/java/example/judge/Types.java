package example.judge;

import build.buf.validate.ValidateProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.ExtensionRegistry;
import com.google.protobuf.TypeRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The message types and extensions of an encoded descriptor set. */
record Types(TypeRegistry registry, ExtensionRegistry extensions) {
    /** Reads a descriptor set whose files come after those that they import. */
    static Types read(Path file) throws IOException, DescriptorValidationException {
        var options = ExtensionRegistry.newInstance();
        ValidateProto.registerAllExtensions(options);
        var set = FileDescriptorSet.parseFrom(Files.readAllBytes(file), options);

        Map<String, FileDescriptor> files = new HashMap<>();
        // What protovalidate was compiled with takes the place of what the set has of it.
        known(ValidateProto.getDescriptor(), files);
        var registry = TypeRegistry.newBuilder();
        var extensions = ExtensionRegistry.newInstance();
        ValidateProto.registerAllExtensions(extensions);
        for (FileDescriptorProto proto : set.getFileList()) {
            if (files.containsKey(proto.getName())) {
                continue;
            }
            var imports = proto.getDependencyList().stream().map(files::get).toArray(FileDescriptor[]::new);
            var built = FileDescriptor.buildFrom(proto, imports);
            files.put(proto.getName(), built);
            registry.add(built.getMessageTypes());
            for (FieldDescriptor extension : built.getExtensions()) {
                if (extension.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
                    var empty = DynamicMessage.getDefaultInstance(extension.getMessageType());
                    extensions.add(extension, empty);
                } else {
                    extensions.add(extension);
                }
            }
        }
        return new Types(registry.build(), extensions);
    }

    private static void known(FileDescriptor file, Map<String, FileDescriptor> files) {
        if (files.put(file.getFullName(), file) == null) {
            file.getDependencies().forEach(imported -> known(imported, files));
        }
    }

    /** The type of a message by its full name. */
    Descriptor message(String name) {
        var found = registry.find(name);
        if (found == null) {
            throw new IllegalArgumentException("the set has no " + name);
        }
        return found;
    }
}
