using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Darkroom;

/// <summary>
/// Runs test vectors, which it reads from standard input: <c>python -m tools.signing_vectors</c>.
/// </summary>
public static class VectorTest
{
    public static int Main()
    {
        var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        var key = input.ReadLine();
        var paths = new Signer("", key);
        var urls = new Signer("https://images.example.com/", key);
        var count = 0;
        for (var line = input.ReadLine(); line != null; line = input.ReadLine())
        {
            var fields = line.Split('\t');
            count++;
            if (fields[0] == "message")
            {
                Check(Signer.SignMessage(fields[2], key, fields[1]) == fields[3], fields[1] + ": " + fields[2]);
                continue;
            }
            var expires = fields[1] == "" ? (DateTimeOffset?)null : DateTimeOffset.FromUnixTimeSeconds(long.Parse(fields[1]));
            var below = fields[0].IndexOf("/_/", StringComparison.Ordinal); // the path of an extension
            Check(below >= 0 || paths.Sign(fields[0], expires) == fields[2], fields[0]);
            if (fields.Length > 3)
            {
                var options = new Dictionary<string, object>();
                for (var at = 4; at < fields.Length; at += 2)
                {
                    options[fields[at]] = fields[at + 1];
                }
                var url = below < 0
                    ? urls.Url(fields[3], options, expires)
                    : urls.Extension(fields[3], fields[0].Substring(below + 3).Split('?')[0], options, expires);
                Check(url == "https://images.example.com" + fields[2], fields[0]);
            }
        }
        var flags = new Dictionary<string, object> { { "w", 1 }, { "gray", true }, { "blur", 2.5 } };
        Check(paths.Url("a.jpg", flags) == paths.Sign("/a.jpg?blur=2.5&gray=1&w=1"), "a flag");
        foreach (var image in new[] { "", "a//b.jpg", "../a.jpg", "a/./b.jpg", "a.jpg/_/w-9.webp", "a/" })
        {
            Check(IsRefused(() => paths.Url(image)), "key '" + image + "'");
            Check(IsRefused(() => paths.Extension(image, "example")), "extension of '" + image + "'");
        }
        Check(IsRefused(() => paths.Sign("a.jpg")), "a relative path");
        Check(IsRefused(() => paths.Sign("")), "no path");
        Check(IsRefused(() => new Signer("", "")), "an empty key");
        Check(IsRefused(() => Signer.SignMessage("upload-token:MTkw", key)), "a text without a slash");
        Check(IsRefused(() => Signer.SignMessage("/a.jpg", "")), "an empty key of a message");
        Console.WriteLine(count + " vectors");
        return 0;
    }

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException("failed: " + what);
        }
    }

    private static bool IsRefused(Action call)
    {
        try
        {
            call();
        }
        catch (ArgumentException)
        {
            return true;
        }
        return false;
    }
}
